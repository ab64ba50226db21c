UPDATE ir_config_parameter SET value = 'False' WHERE key = 'openid4vci.http';
