/* Arrivals, and the queue they wait in; see workflow_intake.h.
 *
 * Locks: node->mutex guards the subjects' keys and the room, which several threads use while they stage. The index and the
 * ledger are used by who commits alone, which is one thread at a time.
 *
 * The node's lock is held while there is something to commit, and given back to other processes between two groups when one
 * waits for it, and when nothing is to do. Nothing of ours is on its way then: groups are settled, keys durable. What is staged
 * stays staged, under a lock of its own; when it comes to be committed, the key it was encrypted under must still be there. */
#include "workflow/workflow_intake.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "admit.h"
#include "node/node_room.h"
#include "workflow/workflow_classify.h"

#define LATER_MAX ((size_t)4 * GROUP_MAX) /* entries whose receipts are due */
#define TRIES_MAX 16                      /* to make a subject's key before others have the node again */
#define START_SIZE ((size_t)4096)
#define RECORD_SIZE_MAX ((size_t)8192)
#define RECORD_SOP_CLASS 3 /* among the identifiers of a record, see record_of() */

struct later {
	uint8_t id[RS_TRANSACTION_ID_SIZE];
	uint64_t entry;
};

struct rs_intake {
	struct rs_node *node;
	struct rs_actor *administrator; /* owned; NULL when another signs */
	struct rs_admit_options options;
	size_t memory_max;
	atomic_size_t memory_used;
	pthread_mutex_t mutex; /* guards what follows */
	pthread_cond_t idle;
	struct rs_arrival *first, **last;
	bool is_committing;
	uint64_t came, seen; /* arrivals in all, and when it was last asked whether to settle */
	size_t waiting;
	unsigned alone; /* that wait for a turn of their own */
	struct rs_intake_counts counts;
	/* Of who commits. */
	bool is_here; /* with the node's lock */
	struct later later[LATER_MAX];
	size_t later_count;
};

struct rs_arrival {
	struct rs_intake *intake;
	struct rs_arrival *next;
	struct rs_buffer memory;
	struct rs_spool *spool; /* NULL while all of it lies in memory */
	size_t charged;         /* of the intake's memory */
	struct rs_sha256 hash;
	size_t hashed; /* bytes of `memory`: the rest is hashed when it is encrypted */
	struct walked_file file;
	struct staged staged;
	char sop_class[UID_SIZE], sop_instance[UID_SIZE], study[UID_SIZE]; /* announced; "" when not */
	struct rs_arrival_identity *identity;
	rs_arrival_done *done;
	void *context;
};

static void commit_all(struct rs_intake *intake);

static char arrival_name[] = "an instance"; /* its identifiers stay out of errors and logs */

/* By who commits. */
static enum rs_code settle(struct rs_intake *intake, struct rs_error *err)
{
	struct node_placed placed[GROUP_MAX];
	enum rs_code code = RS_OK;
	for (size_t at = 0; code == RS_OK && at < intake->later_count; at += GROUP_MAX) {
		size_t left = intake->later_count - at, count = left < GROUP_MAX ? left : GROUP_MAX;
		for (size_t i = 0; i < count; i++)
			placed[i] = (struct node_placed){
				rs_bytes_of(intake->later[at + i].id, RS_TRANSACTION_ID_SIZE),
				intake->later[at + i].entry};
		code = group_settle(intake->node, placed, count, err);
	}
	intake->later_count = 0; /* after a failure recovery has them */
	if (code != RS_OK)
		group_give_up(intake->node);
	return code;
}

/* To be the one who commits; end it with commit_all(). */
static void begin_committing(struct rs_intake *intake)
{
	pthread_mutex_lock(&intake->mutex);
	intake->alone++;
	while (intake->is_committing)
		pthread_cond_wait(&intake->idle, &intake->mutex);
	intake->alone--;
	intake->is_committing = true;
	pthread_mutex_unlock(&intake->mutex);
}

/* By who commits: takes the node's lock again when it was given back. Keys that are made from then on become durable with the
 * groups that need them. */
static enum rs_code come_back(struct rs_intake *intake, struct rs_error *err)
{
	struct rs_node *node = intake->node;
	RS_TRY(node_hold(node, err));
	if (intake->is_here)
		return RS_OK;
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = room_count(node, err);
	if (code == RS_OK)
		code = rs_subject_keys_begin(node->subjects, err);
	if (code != RS_OK)
		rs_node_rest(node);
	pthread_mutex_unlock(&node->mutex);
	intake->is_here = code == RS_OK;
	return code;
}

/* By who commits: others may write. What could not be settled is left to who takes the lock next. */
static enum rs_code go_away(struct rs_intake *intake, struct rs_error *err)
{
	struct rs_node *node = intake->node;
	if (!intake->is_here)
		return RS_OK;
	enum rs_code code = settle(intake, err);
	pthread_mutex_lock(&node->mutex);
	enum rs_code kept = rs_subject_keys_commit(node->subjects, code == RS_OK ? err : NULL);
	rs_subject_keys_rollback(node->subjects);
	rs_node_rest(node);
	pthread_mutex_unlock(&node->mutex);
	intake->is_here = false;
	return code == RS_OK ? kept : code;
}

enum rs_code rs_intake_open(struct rs_node *node, const struct rs_actor *actor, size_t memory_max,
                            struct rs_intake **out, struct rs_error *err)
{
	struct rs_intake *intake = rs_allocate(sizeof *intake);
	enum rs_code code = intake ? RS_OK : rs_error_memory(err, sizeof *intake, "an intake");
	RS_TRY(code);
	intake->node = node;
	intake->memory_max = memory_max;
	intake->last = &intake->first;
	pthread_mutex_init(&intake->mutex, NULL);
	pthread_cond_init(&intake->idle, NULL);
	if (!actor)
		code = rs_node_actor_open(node, NULL, rs_bytes_of("", 0), &intake->administrator, err);
	intake->options.actor = actor ? actor : intake->administrator;
	if (code == RS_OK)
		code = come_back(intake, err);
	if (code != RS_OK) {
		rs_actor_close_pointer(&intake->administrator);
		rs_free(intake);
		return code;
	}
	node->has_intake = true;
	*out = intake;
	return RS_OK;
}

static void arrival_free(struct rs_arrival *arrival)
{
	struct rs_intake *intake = arrival->intake;
	atomic_fetch_sub(&intake->memory_used, arrival->charged);
	pthread_mutex_lock(&intake->node->mutex);
	staged_finish(intake->node, &arrival->staged);
	pthread_mutex_unlock(&intake->node->mutex);
	rs_buffer_finish(&arrival->memory);
	rs_spool_destroy(arrival->spool);
	rs_free(arrival);
}

void rs_arrival_abandon(struct rs_arrival *arrival)
{
	if (arrival)
		arrival_free(arrival);
}

static void copy_uid(const char *uid, char out[static UID_SIZE])
{
	snprintf(out, UID_SIZE, "%s", uid ? uid : "");
}

enum rs_code rs_arrival_begin(struct rs_intake *intake, const struct rs_arrival_claims *claims,
                              struct rs_arrival **out, struct rs_error *err)
{
	struct rs_buffer meta RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&meta, START_SIZE);
	if (claims->transfer_syntax_uid)
		RS_TRY(rs_dicom_put_meta(claims->sop_class_uid, claims->sop_instance_uid,
		                         claims->transfer_syntax_uid, claims->implementation_uid, &meta,
		                         err));
	struct rs_arrival *arrival = rs_allocate(sizeof *arrival);
	if (!arrival)
		return rs_error_memory(err, sizeof *arrival, "an instance");
	arrival->intake = intake;
	arrival->file = (struct walked_file){.path = arrival_name, .named = true};
	arrival->staged.file = &arrival->file;
	arrival->staged.options = &intake->options;
	arrival->staged.made = claims->made;
	copy_uid(claims->sop_class_uid, arrival->sop_class);
	copy_uid(claims->sop_instance_uid, arrival->sop_instance);
	copy_uid(claims->study_instance_uid, arrival->study);
	arrival->identity = claims->identity;
	rs_buffer_init(&arrival->memory, NODE_MEMORY_MAX);
	rs_sha256_init(&arrival->hash);
	enum rs_code code = rs_arrival_add(arrival, rs_buffer_bytes(&meta), err);
	if (code != RS_OK) {
		arrival_free(arrival);
		return code;
	}
	*out = arrival;
	return RS_OK;
}

/* Takes it from the memory of all arrivals. */
static bool has_memory(struct rs_arrival *arrival, size_t size)
{
	struct rs_intake *intake = arrival->intake;
	if (size > intake->node->memory_max - arrival->memory.size)
		return false;
	if (atomic_fetch_add(&intake->memory_used, size) + size > intake->memory_max) {
		atomic_fetch_sub(&intake->memory_used, size);
		return false;
	}
	arrival->charged += size;
	return true;
}

/* As far as to `end` of what lies in memory. */
static void catch_up(struct rs_arrival *arrival, size_t end)
{
	if (arrival->hashed < end)
		rs_sha256_update(&arrival->hash, arrival->memory.data + arrival->hashed,
		                 end - arrival->hashed);
	arrival->hashed = end;
}

static enum rs_code start_spool(struct rs_arrival *arrival, struct rs_error *err)
{
	struct rs_spool *spool;
	RS_TRY(rs_spool_create(arrival->intake->node->vault, &spool, err));
	enum rs_code code = rs_spool_add(spool, rs_buffer_bytes(&arrival->memory), err);
	if (code != RS_OK) {
		rs_spool_destroy(spool);
		return code;
	}
	arrival->spool = spool;
	catch_up(arrival, arrival->memory.size);
	rs_buffer_finish(&arrival->memory);
	atomic_fetch_sub(&arrival->intake->memory_used, arrival->charged);
	arrival->charged = 0;
	return RS_OK;
}

/* Without hashing. */
static enum rs_code keep(struct rs_arrival *arrival, struct rs_bytes bytes, struct rs_error *err)
{
	if (bytes.size > RS_ADMIT_SIZE_MAX - arrival->staged.size)
		return rs_error_set(err, RS_TOO_LARGE, "an instance has more than %zu bytes",
		                    RS_ADMIT_SIZE_MAX);
	if (!arrival->spool && !has_memory(arrival, bytes.size))
		RS_TRY(start_spool(arrival, err));
	if (arrival->spool) {
		RS_TRY(rs_spool_add(arrival->spool, bytes, err));
	} else {
		rs_buffer_append_bytes(&arrival->memory, bytes);
		RS_TRY(rs_buffer_check(&arrival->memory, "an instance", err));
	}
	arrival->staged.size += bytes.size;
	return RS_OK;
}

enum rs_code rs_arrival_add(struct rs_arrival *arrival, struct rs_bytes bytes, struct rs_error *err)
{
	RS_TRY(keep(arrival, bytes, err));
	if (arrival->spool)
		rs_sha256_update(&arrival->hash, bytes.data, bytes.size);
	return RS_OK;
}

enum rs_code rs_arrival_add_beside(struct rs_arrival *arrival, struct rs_bytes bytes,
                                   struct rs_sha256 *beside, struct rs_error *err)
{
	RS_TRY(keep(arrival, bytes, err));
	if (!arrival->spool) {
		catch_up(arrival, arrival->memory.size - bytes.size);
		arrival->hashed = arrival->memory.size;
	}
	rs_sha256_update_pair(&arrival->hash, bytes, beside, bytes);
	return RS_OK;
}

enum rs_code rs_arrival_vouch(struct rs_arrival *arrival, const char *source, struct rs_bytes envelope,
                              struct rs_error *err)
{
	struct staged *staged = &arrival->staged;
	int size = snprintf(staged->source, sizeof staged->source, "%s", source);
	if (size <= 0 || (size_t)size >= sizeof staged->source || envelope.size > RS_RECORD_ENVELOPE_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "what is said of an instance's source is too long");
	rs_buffer_finish(&staged->envelope);
	rs_buffer_init(&staged->envelope, RS_RECORD_ENVELOPE_MAX);
	rs_buffer_append_bytes(&staged->envelope, envelope);
	return rs_buffer_check(&staged->envelope, "an envelope", err);
}

static enum rs_code read_spool(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	return rs_spool_read(context, offset, out, size, err);
}

static enum rs_code give_spool(void *context, uint64_t offset, size_t size, uint8_t *scratch,
                               struct rs_bytes *out, struct rs_error *err)
{
	*out = rs_bytes_of(scratch, size);
	return rs_spool_read(context, offset, scratch, size, err);
}

static enum rs_code give_memory(void *context, uint64_t offset, size_t size, uint8_t *scratch RS_UNUSED,
                                struct rs_bytes *out, struct rs_error *err RS_UNUSED)
{
	const struct rs_buffer *memory = context;
	*out = rs_bytes_of(memory->data + offset, size);
	return RS_OK;
}

static enum rs_code recognise(struct rs_arrival *arrival, struct rs_error *err)
{
	struct staged *staged = &arrival->staged;
	uint8_t start[START_SIZE];
	bool known;
	if (staged->made) {
		staged->what = (struct classified){.media = staged->made->media};
		return RS_OK;
	}
	if (!arrival->spool)
		return classify(rs_buffer_bytes(&arrival->memory), &staged->what, err);
	struct rs_dicom_source source = {staged->size, read_spool, arrival->spool};
	size_t size = staged->size < sizeof start ? (size_t)staged->size : sizeof start;
	RS_TRY(rs_spool_read(arrival->spool, 0, start, size, err));
	/* It has a preamble, which we made: nothing else than DICOM is looked for. */
	return classify_large(rs_bytes_of(start, size), 0, &source, &staged->what, &known, err);
}

static enum rs_code check_claims(const struct rs_arrival *arrival, struct rs_error *err)
{
	const struct classified *what = &arrival->staged.what;
	if (arrival->identity) {
		copy_uid(what->sop_class_uid, arrival->identity->sop_class_uid);
		copy_uid(what->sop_instance_uid, arrival->identity->sop_instance_uid);
		copy_uid(what->series_instance_uid, arrival->identity->series_instance_uid);
		copy_uid(what->study_instance_uid, arrival->identity->study_instance_uid);
	}
	if (arrival->staged.made)
		return RS_OK;
	if (!what->is_dicom)
		return rs_error_set(err, RS_UNSUPPORTED, "it is no DICOM instance");
	if (arrival->study[0] && strcmp(what->study_instance_uid, arrival->study) != 0)
		return rs_error_set(err, RS_USAGE, "the data set is of another study than was announced");
	if (!arrival->sop_instance[0] || (strcmp(what->sop_instance_uid, arrival->sop_instance) == 0 &&
	                                  strcmp(what->sop_class_uid, arrival->sop_class) == 0))
		return RS_OK;
	return rs_error_set(err, RS_USAGE, "the data set is of another instance or class than was announced");
}

static enum rs_code stage(struct rs_arrival *arrival, struct rs_error *err)
{
	struct rs_intake *intake = arrival->intake;
	const struct classified *what = &arrival->staged.what;
	struct rs_sha256 *hash = NULL;
	struct rs_content content = {arrival->staged.size, give_memory, &arrival->memory};
	if (arrival->spool)
		content = (struct rs_content){arrival->staged.size, give_spool, arrival->spool};
	RS_TRY(recognise(arrival, err));
	RS_TRY(check_claims(arrival, err));
	/* What does not say whose it is, is its content's. */
	if (!arrival->spool && arrival->hashed == 0 && (what->patient_id[0] || what->study_instance_uid[0])) {
		hash = &arrival->hash;
	} else {
		if (!arrival->spool)
			catch_up(arrival, arrival->memory.size);
		rs_sha256_final(&arrival->hash, &arrival->staged.content);
	}
	enum rs_code code = stage_arrived(intake->node, &arrival->staged, &content, hash, err);
	for (int tries = 0; code == RS_BUSY && tries < TRIES_MAX; tries++) {
		begin_committing(intake);
		code = come_back(intake, err);
		commit_all(intake);
		RS_TRY(code);
		code = stage_arrived(intake->node, &arrival->staged, &content, hash, err);
	}
	RS_TRY(code);
	/* What lay in memory is in the vault's hands. */
	rs_buffer_finish(&arrival->memory);
	atomic_fetch_sub(&arrival->intake->memory_used, arrival->charged);
	arrival->charged = 0;
	return RS_OK;
}

static void answer(struct rs_arrival *arrival, enum rs_code code, const struct rs_admit_result *result,
                   const struct rs_error *err)
{
	struct rs_intake *intake = arrival->intake;
	rs_arrival_done *done = arrival->done;
	void *context = arrival->context;
	pthread_mutex_lock(&intake->mutex);
	intake->counts.refused += code != RS_OK;
	intake->counts.known += code == RS_OK && result->outcome == RS_ADMIT_KNOWN;
	if (code == RS_OK && result->outcome == RS_ADMIT_SEALED) {
		intake->counts.sealed++;
		intake->counts.bytes += result->size;
	}
	pthread_mutex_unlock(&intake->mutex);
	arrival_free(arrival);
	done(context, code, result, err);
}

/* The keys of a group's subjects are durable before its objects get names. */
static enum rs_code keep_keys(void *context, struct rs_error *err)
{
	struct rs_intake *intake = context;
	struct rs_subject_keys *keys = intake->node->subjects;
	pthread_mutex_lock(&intake->node->mutex);
	enum rs_code code = rs_subject_keys_commit(keys, err);
	if (code != RS_OK)
		rs_subject_keys_rollback(keys);
	enum rs_code again = rs_subject_keys_begin(keys, code == RS_OK ? err : NULL);
	pthread_mutex_unlock(&intake->node->mutex);
	return code == RS_OK ? again : code;
}

/* Twins wait for the next group: the later one is known then, or the earlier one was refused. */
static bool has_twin(struct rs_arrival *const *group, size_t count, const struct rs_arrival *arrival)
{
	for (size_t i = 0; i < count; i++)
		if (rs_digest_equal(&group[i]->staged.content, &arrival->staged.content))
			return true;
	return false;
}

/* With the queue's mutex. */
static size_t take_group(struct rs_intake *intake, struct rs_arrival **group)
{
	size_t count = 0;
	while (intake->first && count < GROUP_MAX && !has_twin(group, count, intake->first)) {
		group[count++] = intake->first;
		intake->first = intake->first->next;
	}
	if (!intake->first)
		intake->last = &intake->first;
	intake->waiting -= count;
	size_t size = 0;
	while (((size_t)1 << size) < count)
		size++;
	intake->counts.groups += count > 0;
	intake->counts.grouped += count;
	intake->counts.sizes[size] += count > 0;
	return count;
}

static void remember(struct rs_intake *intake, const struct group *group)
{
	for (size_t i = 0; i < group->leaf_count; i++) {
		const struct leaf *leaf = &group->leaves[i];
		if (leaf->result.refusal != RS_REFUSAL_NONE)
			continue;
		struct later *later = &intake->later[intake->later_count++];
		memcpy(later->id, leaf->id, sizeof later->id);
		later->entry = leaf->result.index;
	}
}

static enum rs_code look_for_earlier(struct rs_intake *intake, struct staged *staged, struct rs_error *err)
{
	bool known;
	RS_TRY(stage_find_earlier(intake->node, staged, &known, err));
	if (!known)
		return RS_OK;
	pthread_mutex_lock(&intake->node->mutex);
	rs_vault_abort(intake->node->vault, staged->object);
	staged->staged = false;
	room_recount(intake->node);
	pthread_mutex_unlock(&intake->node->mutex);
	return RS_OK;
}

/* What was encrypted under a key that its subject has no more is refused alone: it must not meet another key that its subject
 * got since. */
static enum rs_code look_at(struct rs_intake *intake, struct staged *staged, struct rs_error *err)
{
	struct rs_error failure = {0};
	enum rs_code code = stage_check_key(intake->node, staged, &failure);
	if (code == RS_OK)
		return look_for_earlier(intake, staged, err);
	if (code != RS_BUSY)
		return rs_error_set(err, code, "%s", failure.message);
	staged->result.outcome = RS_ADMIT_FAILED;
	staged->result.error = failure;
	pthread_mutex_lock(&intake->node->mutex);
	staged_finish(intake->node, staged);
	pthread_mutex_unlock(&intake->node->mutex);
	return RS_OK;
}

static enum rs_code to_ledger(struct rs_intake *intake, struct group *group, struct rs_error *err)
{
	RS_TRY(come_back(intake, err));
	if (intake->later_count + GROUP_MAX > LATER_MAX)
		RS_TRY(settle(intake, err));
	for (size_t i = 0; i < group->count; i++)
		RS_TRY(look_at(intake, &group->files[i], err));
	RS_TRY(group_to_ledger(group, err));
	remember(intake, group);
	return RS_OK;
}

static void commit(struct rs_intake *intake, struct rs_arrival **arrivals, size_t count)
{
	struct staged *files = rs_allocate_array(count, sizeof *files);
	struct rs_error err = {0};
	struct group group = {.node = intake->node,
	                      .actor = intake->options.actor,
	                      .files = files,
	                      .count = files ? count : 0,
	                      .beside = keep_keys,
	                      .beside_context = intake};
	enum rs_code code = files ? RS_OK : rs_error_memory(&err, count * sizeof *files, "a group");
	for (size_t i = 0; i < group.count; i++) {
		files[i] = arrivals[i]->staged;
		arrivals[i]->staged = (struct staged){.staged = false};
	}
	if (code == RS_OK)
		code = to_ledger(intake, &group, &err);
	for (size_t i = 0; i < count; i++) {
		struct rs_admit_result result = {.outcome = RS_ADMIT_FAILED, .receipt_path = ""};
		bool refused = code == RS_OK && files[i].result.outcome == RS_ADMIT_FAILED;
		if (code == RS_OK)
			result = files[i].result;
		answer(arrivals[i], refused ? files[i].result.error.code : code, &result,
		       refused ? &files[i].result.error : &err);
	}
	pthread_mutex_lock(&intake->node->mutex);
	group_finish(&group);
	(void)room_count(intake->node, NULL);
	pthread_mutex_unlock(&intake->node->mutex);
}

/* By who commits: until nobody waits, or somebody does for another turn, who then commits the rest. */
static void commit_all(struct rs_intake *intake)
{
	struct rs_arrival *group[GROUP_MAX];
	pthread_mutex_lock(&intake->mutex);
	for (size_t count; (count = take_group(intake, group)) > 0;) {
		pthread_mutex_unlock(&intake->mutex);
		commit(intake, group, count);
		if (node_is_wanted(intake->node))
			(void)go_away(intake, NULL);
		pthread_mutex_lock(&intake->mutex);
		if (intake->alone > 0)
			break;
	}
	intake->is_committing = false;
	pthread_cond_broadcast(&intake->idle);
	pthread_mutex_unlock(&intake->mutex);
}

void rs_arrival_admit(struct rs_arrival *arrival, rs_arrival_done *done, void *context)
{
	struct rs_intake *intake = arrival->intake;
	struct rs_admit_result failed = {.outcome = RS_ADMIT_FAILED, .receipt_path = ""};
	struct rs_error err = {0};
	arrival->done = done;
	arrival->context = context;
	enum rs_code code = stage(arrival, &err);
	if (code != RS_OK) {
		answer(arrival, code, &failed, &err);
		return;
	}
	pthread_mutex_lock(&intake->mutex);
	*intake->last = arrival;
	intake->last = &arrival->next;
	intake->waiting++;
	intake->came++;
	bool mine = !intake->is_committing && intake->alone == 0;
	intake->is_committing = intake->is_committing || mine;
	pthread_mutex_unlock(&intake->mutex);
	if (mine)
		commit_all(intake);
}

void rs_intake_count(struct rs_intake *intake, struct rs_intake_counts *out)
{
	pthread_mutex_lock(&intake->mutex);
	*out = intake->counts;
	out->waiting = intake->waiting;
	pthread_mutex_unlock(&intake->mutex);
	out->memory = atomic_load(&intake->memory_used);
}

/* By who commits. The record says the class; it opens as long as its subject was not erased. */
static enum rs_code look_for(struct rs_node *node, const char *sop_class, const char *sop_instance,
                             struct rs_error *err)
{
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_digest locator;
	struct rs_record record;
	struct index_row row;
	struct rs_cid cid;
	node_locator(node, LOCATOR_INSTANCE, rs_bytes_of_str(rs_str_from(sop_instance)), &locator);
	RS_TRY(index_find_identity(node->index, rs_bytes_of(locator.bytes, LOCATOR_SIZE), &row, err));
	if (!rs_cid_from_bytes(row.cid, &cid) || !rs_vault_has(node->vault, &cid))
		return rs_error_set(err, RS_NOT_FOUND, "its object is gone");
	rs_buffer_init(&encoded, RECORD_SIZE_MAX);
	pthread_mutex_lock(&node->mutex);
	enum rs_code code = node_open_record(node, &row, &encoded, err);
	pthread_mutex_unlock(&node->mutex);
	RS_TRY(code);
	RS_TRY(rs_record_decode(rs_buffer_bytes(&encoded), &record, err));
	return rs_str_equal_text(record.identifiers[RECORD_SOP_CLASS], sop_class)
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE, "it is of another class");
}

enum rs_code rs_intake_run(struct rs_intake *intake, rs_intake_work *work, void *context,
                           struct rs_error *err)
{
	begin_committing(intake);
	enum rs_code code = come_back(intake, err);
	if (code == RS_OK)
		code = work(context, intake->node, err);
	commit_all(intake); /* who came meanwhile */
	return code;
}

struct holding {
	const char *sop_class, *sop_instance;
};

static enum rs_code hold(void *context, struct rs_node *node, struct rs_error *err)
{
	const struct holding *holding = context;
	return look_for(node, holding->sop_class, holding->sop_instance, err);
}

enum rs_code rs_intake_holds(struct rs_intake *intake, const char *sop_class_uid,
                             const char *sop_instance_uid, struct rs_error *err)
{
	struct holding holding = {sop_class_uid, sop_instance_uid};
	return rs_intake_run(intake, hold, &holding, err);
}

enum rs_code rs_intake_settle(struct rs_intake *intake, struct rs_error *err)
{
	pthread_mutex_lock(&intake->mutex);
	bool due = !intake->is_committing && intake->alone == 0 && intake->came == intake->seen;
	intake->seen = intake->came;
	intake->is_committing = intake->is_committing || due;
	pthread_mutex_unlock(&intake->mutex);
	if (!due)
		return RS_OK;
	enum rs_code code = go_away(intake, err);
	commit_all(intake);
	return code;
}

enum rs_code rs_intake_make_way(struct rs_intake *intake, struct rs_error *err)
{
	pthread_mutex_lock(&intake->mutex);
	bool is_idle = !intake->is_committing && intake->is_here;
	bool due = is_idle && node_is_wanted(intake->node);
	intake->is_committing = intake->is_committing || due;
	pthread_mutex_unlock(&intake->mutex);
	if (!due)
		return RS_OK;
	enum rs_code code = go_away(intake, err);
	commit_all(intake);
	return code;
}

enum rs_code rs_intake_close(struct rs_intake *intake, struct rs_error *err)
{
	if (!intake)
		return RS_OK;
	begin_committing(intake);
	enum rs_code code = go_away(intake, err);
	intake->node->has_intake = false;
	rs_actor_close_pointer(&intake->administrator);
	pthread_cond_destroy(&intake->idle);
	pthread_mutex_destroy(&intake->mutex);
	rs_free(intake);
	return code;
}
