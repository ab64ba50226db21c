-- What docs/odoo.md finds in OpenSPP's database and a bare Odoo has not: columns of partners, and
-- their registrations' numbers. As views over partners, since the document makes Maria itself.

ALTER TABLE res_partner
    ADD COLUMN gender text DEFAULT 'Female',
    ADD COLUMN birthdate date DEFAULT '1987-04-12',
    ADD COLUMN address text DEFAULT '{"region": "NCR"}';
CREATE VIEW g2p_id_type AS SELECT 7 AS id, 'NATIONAL ID'::text AS name;
CREATE VIEW g2p_reg_id AS
    SELECT id, id AS partner_id, 7 AS id_type, '4019-7316-2284'::text AS value
    FROM res_partner WHERE name = 'Maria Santos';
ALTER VIEW g2p_id_type OWNER TO odoo;
ALTER VIEW g2p_reg_id OWNER TO odoo;
