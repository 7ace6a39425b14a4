-- A database as version 0001 of the schema made it.
BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE batches (
	id INTEGER NOT NULL, 
	issuer_ref INTEGER NOT NULL, 
	root BLOB NOT NULL, 
	size BIGINT NOT NULL, 
	achievement_name TEXT NOT NULL, 
	roster_hash BLOB NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	sealed_at BIGINT NOT NULL, 
	transaction_id INTEGER, 
	anchored_at BIGINT, 
	failure TEXT, 
	CONSTRAINT pk_batches PRIMARY KEY (id), 
	CONSTRAINT fk_batches_issuer_ref FOREIGN KEY(issuer_ref) REFERENCES issuers (id), 
	CONSTRAINT fk_batches_transaction_id FOREIGN KEY(transaction_id) REFERENCES transactions (id), 
	CONSTRAINT uq_batches_issuer_ref_root UNIQUE (issuer_ref, root)
);
INSERT INTO "batches" VALUES(1,1,X'0000000000000000000000000000000000000000000000000000000000000000',2,'x',X'0000000000000000000000000000000000000000000000000000000000000000','sealed',5,NULL,NULL,NULL);
CREATE TABLE credentials (
	id INTEGER NOT NULL, 
	batch_id INTEGER NOT NULL, 
	leaf_index BIGINT NOT NULL, 
	uuid BLOB NOT NULL, 
	issuer_ref INTEGER NOT NULL, 
	status_list BIGINT NOT NULL, 
	status_index INTEGER NOT NULL, 
	salt BLOB NOT NULL, 
	recipient_name TEXT NOT NULL, 
	recipient_email TEXT, 
	email_salt BLOB, 
	CONSTRAINT pk_credentials PRIMARY KEY (id), 
	CONSTRAINT fk_credentials_batch_id FOREIGN KEY(batch_id) REFERENCES batches (id), 
	CONSTRAINT fk_credentials_issuer_ref FOREIGN KEY(issuer_ref) REFERENCES issuers (id), 
	CONSTRAINT uq_credentials_batch_id_leaf_index UNIQUE (batch_id, leaf_index), 
	CONSTRAINT uq_credentials_issuer_ref_status_list_status_index UNIQUE (issuer_ref, status_list, status_index), 
	CONSTRAINT uq_credentials_uuid UNIQUE (uuid)
);
INSERT INTO "credentials" VALUES(1,1,0,X'00000000000040008000000000000001',1,7,131071,X'0000000000000000000000000000000000000000000000000000000000000000','Zoé','zoe@example.org',X'00000000000000000000000000000000');
INSERT INTO "credentials" VALUES(2,1,1,X'00000000000040008000000000000002',1,8,0,X'0000000000000000000000000000000000000000000000000000000000000000','Ana',NULL,NULL);
CREATE TABLE issuers (
	id INTEGER NOT NULL, 
	registry VARCHAR(128) NOT NULL, 
	issuer_id BIGINT NOT NULL, 
	next_position BIGINT NOT NULL, 
	CONSTRAINT pk_issuers PRIMARY KEY (id), 
	CONSTRAINT uq_issuers_registry_issuer_id UNIQUE (registry, issuer_id)
);
INSERT INTO "issuers" VALUES(1,'eip155:31337:0x5fbdb2315678afecb367f032d93f642f64180aa3',1,1048577);
CREATE TABLE status_changes (
	id INTEGER NOT NULL, 
	transaction_id INTEGER NOT NULL, 
	issuer_ref INTEGER NOT NULL, 
	status_list BIGINT NOT NULL, 
	status_index INTEGER NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	reason SMALLINT NOT NULL, 
	CONSTRAINT pk_status_changes PRIMARY KEY (id), 
	CONSTRAINT fk_status_changes_issuer_ref FOREIGN KEY(issuer_ref) REFERENCES issuers (id), 
	CONSTRAINT fk_status_changes_transaction_id FOREIGN KEY(transaction_id) REFERENCES transactions (id)
);
CREATE TABLE templates (
	batch_id INTEGER NOT NULL, 
	has_email BOOLEAN NOT NULL, 
	text BLOB NOT NULL, 
	CONSTRAINT pk_templates PRIMARY KEY (batch_id, has_email), 
	CONSTRAINT fk_templates_batch_id FOREIGN KEY(batch_id) REFERENCES batches (id)
);
INSERT INTO "templates" VALUES(1,1,X'7769746820652D6D61696C');
INSERT INTO "templates" VALUES(1,0,X'776974686F7574');
CREATE TABLE transactions (
	id INTEGER NOT NULL, 
	chain_id BIGINT NOT NULL, 
	sender BLOB NOT NULL, 
	nonce BIGINT NOT NULL, 
	hash BLOB NOT NULL, 
	raw BLOB NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	signed_at BIGINT NOT NULL, 
	block_number BIGINT, 
	gas_used BIGINT, 
	gas_price_wei VARCHAR(80), 
	CONSTRAINT pk_transactions PRIMARY KEY (id), 
	CONSTRAINT uq_transactions_hash UNIQUE (hash)
);
CREATE TABLE tree_chunks (
	batch_id INTEGER NOT NULL, 
	level SMALLINT NOT NULL, 
	chunk BIGINT NOT NULL, 
	nodes BLOB NOT NULL, 
	CONSTRAINT pk_tree_chunks PRIMARY KEY (batch_id, level, chunk), 
	CONSTRAINT fk_tree_chunks_batch_id FOREIGN KEY(batch_id) REFERENCES batches (id)
);
CREATE INDEX ix_transactions_state ON transactions (state);
CREATE INDEX ix_batches_state ON batches (state);
CREATE INDEX ix_status_changes_transaction_id ON status_changes (transaction_id);
COMMIT;
