# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "Verifiable Credentials: tests",
    "summary": "Models whose records credentials are about, and OpenSPP's guide",
    "version": "19.0.0.2.0",
    "category": "Hidden",
    "license": "LGPL-3",
    "author": "openid4vci contributors",
    "depends": ["openid4vci", "openid4vci_fastapi"],
    "data": ["security/ir.model.access.csv"],
}
