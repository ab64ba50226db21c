# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
from . import wallet
from . import test_mixin
from . import test_person
from . import test_guide
