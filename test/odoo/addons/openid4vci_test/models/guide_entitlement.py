# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""The guide's "Push Model: Registry-Initiated Issuance"; tests/test_guide.py tells what
was adapted."""

from odoo import models


class SPPEntitlement(models.Model):
    _inherit = "vci.test.entitlement"

    def action_approve(self):
        """Approve entitlement and issue credential offer"""
        res = super().action_approve()

        # Generate credential offer for approved entitlements
        for entitlement in self:
            if entitlement.state == 'approved':
                entitlement._issue_credential_offer()

        return res

    def _issue_credential_offer(self):
        """Create and send credential offer to beneficiary"""
        self.ensure_one()

        # Get credential type
        credential_type = self.env['vci.credential.configuration'].search([
            ('code', '=', 'EntitlementCredential')
        ], limit=1)

        if not credential_type:
            return

        # Get or create wallet for beneficiary
        wallet = self.partner_id

        # Create offer
        offer_service = self.env['vci.offer']
        offer = offer_service.create({
            'credential_type_id': credential_type.id,
        })
        offer = offer.create_offer(
            credential_subject=self,
            credential_type=credential_type,
            holder_wallet_did=wallet.wallet_did
        )

        # Generate QR code
        qr_uri = offer.get_credential_offer_uri()

        # Send to beneficiary (SMS, email, or app notification)
        self._send_credential_offer(qr_uri)

        # Log the offer
        self.message_post(
            body=f"Credential offer created: {offer.id}",
            subject="Verifiable Credential Issued"
        )

    def _send_credential_offer(self, qr_uri):
        """Send credential offer to beneficiary"""
        # Option 1: SMS with deep link
        if self.partner_id.phone:
            sms_service = self.env['vci.test.sms']
            sms_service.send_sms(
                self.partner_id.phone,
                f"Your entitlement credential is ready: {qr_uri}"
            )
