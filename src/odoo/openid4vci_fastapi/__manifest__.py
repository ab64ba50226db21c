# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Verifiable Credentials (OpenID4VCI): FastAPI",
    "summary": "Serve wallets by an application of the FastAPI addon",
    "version": "19.0.0.2.0",
    "category": "Services/Credentials",
    "license": "LGPL-3",
    "author": "openid4vci contributors",
    "depends": ["openid4vci", "fastapi"],
    "external_dependencies": {"python": ["fastapi"]},
    "data": ["data/fastapi_endpoint.xml"],
}
