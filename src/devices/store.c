/* The database of devices. */
#include "store.h"

#include <string.h>

#define BOX_MAX (RS_MANIFEST_SIZE_MAX + 1024)
#define LOCATOR_DEVICE_INSTANCE 6 /* follows enum locator_kind */

static const char schema[] =
	"CREATE TABLE device(name TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE seen(key BLOB, boot BLOB, sequence INTEGER, digest BLOB NOT NULL, instance BLOB, outcome INTEGER NOT NULL,"
	" PRIMARY KEY(key,boot,sequence)) WITHOUT ROWID;"
	"CREATE INDEX seen_instance ON seen(instance);"
	"CREATE TABLE manifest(id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, key BLOB NOT NULL, name TEXT NOT NULL,"
	" time INTEGER NOT NULL, box BLOB, looked INTEGER NOT NULL DEFAULT 0, sealing INTEGER NOT NULL DEFAULT 0);"
	"CREATE INDEX manifest_unlooked ON manifest(id) WHERE looked=0;"
	"CREATE INDEX manifest_unsealed ON manifest(id) WHERE sealing=1;"
	"CREATE TABLE expected(manifest INTEGER, instance BLOB, sop BLOB NOT NULL,"
	" PRIMARY KEY(manifest,instance)) WITHOUT ROWID;"
	"CREATE INDEX expected_sop ON expected(sop);"
	"CREATE TABLE matched(instance BLOB PRIMARY KEY, content BLOB NOT NULL, manifest INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX matched_content ON matched(content);"
	"CREATE INDEX matched_manifest ON matched(manifest);"
	"CREATE TABLE awaited(instance BLOB PRIMARY KEY, sop BLOB NOT NULL, box BLOB NOT NULL) WITHOUT ROWID;"
	"CREATE INDEX awaited_sop ON awaited(sop);"
	"CREATE TABLE quarantine(id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE, distrust INTEGER NOT NULL,"
	" time INTEGER NOT NULL, instance BLOB, box BLOB, cid BLOB, nonce BLOB, size INTEGER NOT NULL,"
	" state INTEGER NOT NULL, member BLOB, ended INTEGER);"
	"CREATE INDEX quarantine_instance ON quarantine(instance);";

static const char *const statements[SQL_COUNT] = {
	[FIND_SEEN] = "SELECT digest,outcome FROM seen WHERE key=?1 AND boot=?2 AND sequence=?3",
	[ADD_SEEN] = "INSERT INTO seen VALUES(?1,?2,?3,?4,?5,?6) ON CONFLICT DO NOTHING",
	[FIND_NAME] = "SELECT key FROM device WHERE name=?1",
	[SET_NAME] = "INSERT INTO device VALUES(?1,?2) ON CONFLICT(name) DO UPDATE SET key=?2",
	[ADD_MANIFEST] =
		"INSERT INTO manifest(digest,key,name,time,box) VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO NOTHING",
	[ADD_EXPECTED] =
		"INSERT INTO expected SELECT id,?2,?3 FROM manifest WHERE digest=?1 ON CONFLICT DO NOTHING",
	[IS_AWAITED] = "SELECT 1 FROM awaited WHERE sop=?1 UNION ALL SELECT 1 FROM expected WHERE sop=?1",
	[FIND_AWAITED] = "SELECT instance,box FROM awaited WHERE sop=?1",
	[ADD_AWAITED] = "INSERT INTO awaited VALUES(?1,?2,?3) ON CONFLICT DO NOTHING",
	[DROP_AWAITED] = "DELETE FROM awaited WHERE instance=?1",
	[FIND_LISTED] = "SELECT m.id,m.digest,m.key,EXISTS(SELECT 1 FROM seen WHERE instance=e.instance)"
			" FROM expected e JOIN manifest m ON m.id=e.manifest"
			" WHERE e.sop=?1 AND e.instance=?2 ORDER BY m.id LIMIT 1",
	[ADD_MATCHED] = "INSERT INTO matched VALUES(?1,?2,?3) ON CONFLICT DO NOTHING",
	[NOTE_MATCHED] = "UPDATE manifest SET sealing=1 WHERE id=?1 AND sealing=0",
	[LOOK_AGAIN] =
		"UPDATE manifest SET looked=0 WHERE looked=1 AND id IN (SELECT manifest FROM expected WHERE sop=?1)",
	[LAST_UNLOOKED] = "SELECT coalesce(max(id),0) FROM manifest WHERE looked=0",
	[EACH_UNLOOKED] =
		"SELECT m.id,e.instance,e.sop FROM manifest m JOIN expected e ON e.manifest=m.id"
		" WHERE m.looked=0 AND m.id<=?1 AND (m.id>?2 OR (m.id=?2 AND e.instance>?3))"
		" AND NOT EXISTS(SELECT 1 FROM seen WHERE instance=e.instance)"
		" AND NOT EXISTS(SELECT 1 FROM matched WHERE instance=e.instance) ORDER BY m.id,e.instance",
	/* One whose instances all came signed need not be sealed: its text is let go. */
	[SET_LOOKED] =
		"UPDATE manifest SET looked=1,box=CASE WHEN sealing=0 AND NOT EXISTS(SELECT 1 FROM expected e"
		" WHERE e.manifest=manifest.id AND NOT EXISTS(SELECT 1 FROM seen WHERE instance=e.instance))"
		" THEN NULL ELSE box END WHERE looked=0 AND id<=?1",
	[EACH_UNSEALED] = "SELECT id,box,(SELECT content FROM matched WHERE manifest=m.id LIMIT 1)"
			  " FROM manifest m WHERE sealing=1 AND box IS NOT NULL ORDER BY id",
	[SET_SEALED] = "UPDATE manifest SET sealing=2,box=NULL WHERE id=?1",
	[FIND_MATCH] = "SELECT m.key,m.name,m.digest FROM matched a JOIN manifest m ON m.id=a.manifest"
		       " WHERE a.content=?1",
	[FIND_MANIFEST] = "SELECT key,name,digest FROM manifest WHERE digest=?1",
	[FIND_QUARANTINED] = "SELECT state FROM quarantine WHERE digest=?1",
	[ADD_QUARANTINED] = "INSERT INTO quarantine(digest,distrust,time,instance,box,cid,nonce,size,state)"
			    " VALUES(?1,?2,?3,?4,?5,?6,?7,?8,0)",
	[SUM_QUARANTINED] = "SELECT count(*),coalesce(sum(size),0) FROM quarantine WHERE state=0",
	[GET_QUARANTINED] = "SELECT box,cid,nonce,size,digest FROM quarantine WHERE id=?1 AND state=0",
	[END_QUARANTINED] =
		"UPDATE quarantine SET state=?2,member=?3,ended=?4,box=NULL,cid=NULL,nonce=NULL WHERE id=?1",
	[DROP_QUARANTINED] = "DELETE FROM quarantine WHERE id=?1",
	[EACH_QUARANTINED] = "SELECT id,distrust,time,box,size FROM quarantine WHERE state=0 ORDER BY id",
	[EACH_SERIES] = "SELECT m.key,m.name,m.time,count(*),"
			"sum(EXISTS(SELECT 1 FROM seen WHERE instance=e.instance)"
			" OR EXISTS(SELECT 1 FROM matched WHERE instance=e.instance)),"
			"sum(EXISTS(SELECT 1 FROM quarantine WHERE instance=e.instance AND state=0)),"
			"sum(EXISTS(SELECT 1 FROM matched WHERE instance=e.instance))"
			" FROM manifest m JOIN expected e ON e.manifest=m.id GROUP BY m.id ORDER BY m.id",
};

static enum rs_code open_vault(struct devices *devices, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	const struct rs_node *node = devices->node;
	RS_TRY(node_path(node, "quarantine", &path, err));
	if (!rs_path_exists(node->world, path))
		RS_TRY(rs_vault_create(node->world, path, err));
	return rs_vault_open(node->world, path, &devices->vault, err);
}

static enum rs_code open_parts(struct devices *devices, enum rs_store_access access, struct rs_error *err)
{
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	const struct rs_node *node = devices->node;
	rs_keyring_key(node->keyring, "quarantine", &devices->secret);
	RS_TRY(node_path(node, "devices.sqlite", &path, err));
	if (access == RS_STORE_READ && !rs_path_exists(node->world, path))
		return rs_error_set(err, RS_NOT_FOUND, "no device has sent anything to this node");
	RS_TRY(rs_store_open(node->world, path, access, schema, 2, &devices->store, err));
	for (size_t i = 0; i < SQL_COUNT; i++)
		RS_TRY(rs_statement_prepare(devices->store, statements[i], &devices->statements[i], err));
	return access == RS_STORE_WRITE ? open_vault(devices, err) : RS_OK;
}

enum rs_code devices_open(struct rs_node *node, enum rs_store_access access, struct devices *out,
                          struct rs_error *err)
{
	struct devices devices = {.node = node};
	enum rs_code code = open_parts(&devices, access, err);
	if (code != RS_OK) {
		devices_close(&devices);
		return code;
	}
	*out = devices;
	return RS_OK;
}

void devices_close(struct devices *devices)
{
	for (size_t i = 0; i < SQL_COUNT; i++)
		rs_statement_finish(devices->statements[i]);
	rs_store_close(devices->store);
	rs_vault_close(devices->vault);
	rs_secret_finish(&devices->secret);
}

struct rs_statement *devices_sql(struct devices *devices, enum sql sql)
{
	rs_statement_reset(devices->statements[sql]);
	return devices->statements[sql];
}

void devices_sop(const struct devices *devices, struct rs_str sop_instance, struct rs_digest *out)
{
	node_locator(devices->node, LOCATOR_INSTANCE, rs_bytes_of_str(sop_instance), out);
}

void devices_instance(const struct devices *devices, struct rs_str sop_instance,
                      const struct rs_digest *sha256, struct rs_digest *out)
{
	uint8_t value[RS_SHA256_SIZE + 64];
	size_t size = sop_instance.size < 64 ? sop_instance.size : 64;
	memcpy(value, sha256->bytes, RS_SHA256_SIZE);
	memcpy(value + RS_SHA256_SIZE, sop_instance.data, size);
	rs_keyring_locator(devices->node->keyring, LOCATOR_DEVICE_INSTANCE,
	                   rs_bytes_of(value, RS_SHA256_SIZE + size), out);
}

static struct rs_bytes digest_bytes(const struct rs_digest *digest)
{
	return rs_bytes_of(digest->bytes, RS_SHA256_SIZE);
}

void seen_of(const struct devices *devices, const struct rs_envelope *envelope,
             const struct rs_digest *digest, enum rs_acknowledged outcome, struct seen *out)
{
	*out = (struct seen){.key = envelope->signer,
	                     .sequence = envelope->sequence,
	                     .digest = *digest,
	                     .outcome = outcome};
	memcpy(out->boot, envelope->boot, RS_BOOT_SIZE);
	if (envelope->kind == RS_ENVELOPE_INSTANCE)
		devices_instance(devices, envelope->sop_instance, &envelope->sha256, &out->instance);
}

enum rs_code devices_add_seen(struct devices *devices, const struct seen *seen, struct rs_error *err)
{
	struct rs_statement *add = devices_sql(devices, ADD_SEEN);
	rs_statement_bind_bytes(add, 1, rs_bytes_of(seen->key.bytes, RS_KEY_SIZE));
	rs_statement_bind_bytes(add, 2, rs_bytes_of(seen->boot, RS_BOOT_SIZE));
	rs_statement_bind_i64(add, 3, (int64_t)seen->sequence);
	rs_statement_bind_bytes(add, 4, digest_bytes(&seen->digest));
	rs_statement_bind_bytes(add, 5, digest_bytes(&seen->instance));
	rs_statement_bind_i64(add, 6, seen->outcome);
	return rs_statement_run(add, err);
}

struct listing {
	struct devices *devices;
	const struct rs_digest *manifest;
};

static enum rs_code add_expected(void *context, const struct rs_listed *listed, struct rs_error *err)
{
	struct listing *listing = context;
	struct rs_statement *add = devices_sql(listing->devices, ADD_EXPECTED);
	struct rs_digest instance, sop;
	devices_instance(listing->devices, listed->sop_instance, &listed->sha256, &instance);
	devices_sop(listing->devices, listed->sop_instance, &sop);
	rs_statement_bind_bytes(add, 1, digest_bytes(listing->manifest));
	rs_statement_bind_bytes(add, 2, digest_bytes(&instance));
	rs_statement_bind_bytes(add, 3, digest_bytes(&sop));
	return rs_statement_run(add, err);
}

static enum rs_code add_manifest(struct devices *devices, const struct rs_envelope *manifest,
                                 struct rs_bytes message, const struct rs_digest *digest,
                                 struct rs_error *err)
{
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_statement *add = devices_sql(devices, ADD_MANIFEST);
	struct listing listing = {devices, digest};
	struct seen seen;
	RS_TRY(devices_seal_box(devices, message, &box, err));
	rs_statement_bind_bytes(add, 1, digest_bytes(digest));
	rs_statement_bind_bytes(add, 2, rs_bytes_of(manifest->signer.bytes, RS_KEY_SIZE));
	rs_statement_bind_str(add, 3, manifest->device);
	rs_statement_bind_i64(add, 4, (int64_t)rs_world_now_ms(devices->node->world));
	rs_statement_bind_bytes(add, 5, rs_buffer_bytes(&box));
	RS_TRY(rs_statement_run(add, err));
	RS_TRY(rs_envelope_each(manifest, add_expected, &listing, err));
	seen_of(devices, manifest, digest, RS_ACKNOWLEDGED_LISTED, &seen);
	return devices_add_seen(devices, &seen, err);
}

enum rs_code devices_add_manifest(struct devices *devices, const struct rs_envelope *manifest,
                                  struct rs_bytes message, const struct rs_digest *digest,
                                  struct rs_error *err)
{
	if (rs_store_in_transaction(devices->store))
		return add_manifest(devices, manifest, message, digest, err);
	RS_TRY(rs_store_begin(devices->store, err));
	enum rs_code code = add_manifest(devices, manifest, message, digest, err);
	if (code == RS_OK)
		code = rs_store_commit(devices->store, err);
	if (code != RS_OK)
		rs_store_rollback(devices->store);
	return code;
}

enum rs_code devices_add_matched(struct devices *devices, const struct matched *matched, struct rs_error *err)
{
	struct rs_statement *add = devices_sql(devices, ADD_MATCHED), *note;
	rs_statement_bind_bytes(add, 1, digest_bytes(&matched->instance));
	rs_statement_bind_bytes(add, 2, digest_bytes(&matched->content));
	rs_statement_bind_i64(add, 3, matched->manifest);
	RS_TRY(rs_statement_run(add, err));
	note = devices_sql(devices, NOTE_MATCHED);
	rs_statement_bind_i64(note, 1, matched->manifest);
	return rs_statement_run(note, err);
}

enum rs_code devices_look_again(struct devices *devices, const struct rs_digest *sop, struct rs_error *err)
{
	struct rs_statement *again = devices_sql(devices, LOOK_AGAIN);
	rs_statement_bind_bytes(again, 1, digest_bytes(sop));
	return rs_statement_run(again, err);
}

enum rs_code devices_check_room(struct devices *devices, uint64_t size, struct rs_error *err)
{
	struct rs_statement *sum = devices_sql(devices, SUM_QUARANTINED);
	bool found;
	RS_TRY(rs_statement_step(sum, &found, err));
	uint64_t count = found ? (uint64_t)rs_statement_i64(sum, 0) : 0;
	uint64_t used = found ? (uint64_t)rs_statement_i64(sum, 1) : 0;
	rs_statement_reset(sum);
	if (count < RS_QUARANTINE_COUNT_MAX && used <= RS_QUARANTINE_MAX && size <= RS_QUARANTINE_MAX - used)
		return RS_OK;
	return rs_error_set(
		err, RS_NO_SPACE,
		"the quarantine is full; release or discard what is in it: radseal quarantine list");
}

enum rs_code devices_seal_box(const struct devices *devices, struct rs_bytes envelope, struct rs_buffer *out,
                              struct rs_error *err)
{
	rs_buffer_init(out, BOX_MAX);
	return rs_box_seal(devices->node->world, &devices->secret, rs_bytes_of("", 0), envelope, out, err);
}

enum rs_code devices_open_box(const struct devices *devices, struct rs_bytes box, struct rs_buffer *out,
                              struct rs_error *err)
{
	rs_buffer_init(out, BOX_MAX);
	return rs_box_open(&devices->secret, rs_bytes_of("", 0), box, out, err);
}

static enum rs_code keep(struct devices *devices, const struct rs_content *content,
                         const uint8_t nonce[static RS_OBJECT_NONCE_SIZE], struct rs_cid *out,
                         struct rs_error *err)
{
	struct rs_secret key RS_CLEANUP(rs_secret_finish) = {0};
	struct rs_vault_staged *staged;
	rs_subject_object_key(&devices->secret, nonce, &key);
	RS_TRY(rs_vault_stage_content(devices->vault, &key, nonce, content, &staged, out, err));
	return rs_vault_publish(devices->vault, NULL, &staged, 1, err);
}

enum rs_code devices_quarantine(struct devices *devices, enum rs_distrust distrust, struct rs_bytes envelope,
                                const struct rs_digest *digest, const struct rs_content *content,
                                struct rs_error *err)
{
	struct rs_buffer box RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_statement *add = devices_sql(devices, ADD_QUARANTINED);
	uint8_t nonce[RS_OBJECT_NONCE_SIZE] = {0};
	struct rs_envelope parsed;
	struct rs_digest instance = {{0}};
	struct rs_cid cid = {{0}};
	RS_TRY(devices_check_room(devices, content ? content->size : 0, err));
	RS_TRY(rs_envelope_parse(envelope, &parsed, err));
	if (parsed.kind == RS_ENVELOPE_INSTANCE)
		devices_instance(devices, parsed.sop_instance, &parsed.sha256, &instance);
	RS_TRY(devices_seal_box(devices, envelope, &box, err));
	if (content) {
		RS_TRY(rs_world_random(devices->node->world, nonce, sizeof nonce, err));
		RS_TRY(keep(devices, content, nonce, &cid, err));
	}
	rs_statement_bind_bytes(add, 1, digest_bytes(digest));
	rs_statement_bind_i64(add, 2, distrust);
	rs_statement_bind_i64(add, 3, (int64_t)rs_world_now_ms(devices->node->world));
	rs_statement_bind_bytes(add, 4, digest_bytes(&instance));
	rs_statement_bind_bytes(add, 5, rs_buffer_bytes(&box));
	rs_statement_bind_bytes(add, 6,
	                        content ? rs_bytes_of(cid.bytes, sizeof cid.bytes) : rs_bytes_of("", 0));
	rs_statement_bind_bytes(add, 7, rs_bytes_of(nonce, sizeof nonce));
	rs_statement_bind_i64(add, 8, content ? (int64_t)content->size : 0);
	return rs_statement_run(add, err);
}
