# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import vci_offer_wizard
from . import vci_refusal_wizard
from . import vci_status_wizard
from . import vci_setup_wizard
from . import vci_help_desk
