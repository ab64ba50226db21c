# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import access_log
from . import fault
from . import no_database
from . import routes
from . import dispatcher
from . import main
