# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
{
    "name": "FastAPI (test double)",
    "summary": "What openid4vci_fastapi needs of OCA's addon of this name, and no more",
    "version": "19.0.1.0.0",
    "category": "Hidden",
    "license": "LGPL-3",
    "author": "openid4vci contributors",
    "depends": ["base"],
    "external_dependencies": {"python": ["fastapi", "a2wsgi"]},
    "data": ["security/ir.model.access.csv"],
}
