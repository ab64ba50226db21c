# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import res_partner
from . import vci_test_sms
from . import vci_test_entitlement
from . import guide_entitlement
from . import vci_test_event_data
from . import guide_event_data
