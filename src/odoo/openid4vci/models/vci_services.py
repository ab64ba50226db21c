# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""OpenSPP's services for tokens and presentations."""

from odoo import models


class VciTokenService(models.AbstractModel):
    _name = "vci.token.service"
    _description = "Tokens of wallets"


class VciSdJwt(models.AbstractModel):
    _name = "vci.sd.jwt"
    _description = "SD-JWT presentations"
