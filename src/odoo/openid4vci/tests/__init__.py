# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import common
from . import test_sql
from . import test_views
from . import test_offer
from . import test_configuration
from . import test_security
from . import test_help_desk
from . import test_wizard
from . import test_status
from . import test_campaign
from . import test_settings
from . import test_report
from . import test_cron
from . import test_hooks
from . import test_http
