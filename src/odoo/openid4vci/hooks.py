# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).


def pre_init_hook(env):
    """Before the addon's models exist."""


def post_init_hook(env):
    """After the addon's data is loaded."""


def uninstall_hook(env):
    """Before the addon's models go. The extension and its data stay."""
