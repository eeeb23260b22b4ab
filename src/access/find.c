/* Finding: walk → decide, study by study → write requests → answer. */
#include "access/access_find.h"

#include <stdio.h>
#include <string.h>

#include "access/access_people.h"
#include "node/node_parts.h"
#include "release.h"

#define PAGE 256                          /* matches that share a commit of requests */
#define PAGE_BYTES_MAX ((size_t)64 << 20) /* of their values */
#define SEEN_COUNT 4096                   /* studies that are remembered */

/* A study as somebody saw it. Its first instance's transaction is its name: a row's number may be another's later. */
struct seen {
	uint8_t transaction[RS_TRANSACTION_ID_SIZE];
	struct rs_member_key who;
	enum rs_purpose purpose;
	struct rs_digest commitment;
	uint64_t asked_ms; /* 0: never */
};

struct rs_finder {
	struct rs_node *node;
	struct seen seen[SEEN_COUNT];
};

/* One call. */
struct finding {
	struct rs_finder *finder;
	const struct rs_find *find;
	struct rs_catalogue *catalogue;
	struct rs_member_key who;
	enum rs_purpose purpose;
	uint64_t now_ms;
	int64_t study; /* decided last */
	struct seen seen;
	bool is_permitted;
	struct rs_arena arena;
	struct rs_catalogue_match *matches;
	size_t count, capacity;
	struct rs_buffer asking; /* commitments whose requests are due */
	uint64_t passed;
	struct rs_find_counts counts;
};

enum rs_code rs_finder_create(struct rs_node *node, struct rs_finder **out, struct rs_error *err)
{
	struct rs_finder *finder = rs_allocate(sizeof *finder);
	if (!finder)
		return rs_error_memory(err, sizeof *finder, "a finder");
	finder->node = node;
	*out = finder;
	return RS_OK;
}

void rs_finder_destroy(struct rs_finder *finder) { rs_free(finder); }
void rs_finder_destroy_pointer(struct rs_finder **finder) { rs_finder_destroy(*finder); }

static void finding_finish(struct finding *finding)
{
	rs_arena_finish(&finding->arena);
	rs_buffer_finish(&finding->asking);
	rs_free(finding->matches);
}

static enum rs_code refuse(enum rs_refusal refusal, struct rs_error *err)
{
	return rs_error_set(err, RS_REFUSED, "%s: %s", rs_refusal_name(refusal), rs_refusal_text(refusal));
}

static enum rs_purpose purpose_of(enum rs_role role)
{
	static const enum rs_purpose order[] = {RS_PURPOSE_TREATMENT, RS_PURPOSE_OPERATIONS,
	                                        RS_PURPOSE_PATIENT_REQUEST, RS_PURPOSE_AUDIT,
	                                        RS_PURPOSE_RESEARCH};
	for (size_t i = 0; i < RS_COUNT(order); i++)
		if (rs_contract_bases(role, order[i], RS_OPERATION_READ))
			return order[i];
	return 0;
}

/* Whether there is anything that the actor could see for this purpose: else a refusal is told, and not an empty answer. */
static enum rs_code check_actor(struct finding *finding, struct rs_error *err)
{
	struct rs_person person;
	RS_TRY(rs_node_person_in_force(finding->finder->node, &finding->who, &person, err));
	finding->purpose = finding->find->purpose ? finding->find->purpose : purpose_of(person.role);
	if (!finding->purpose || !rs_contract_bases(person.role, finding->purpose, RS_OPERATION_READ))
		return refuse(RS_REFUSAL_PURPOSE, err);
	return RS_OK;
}

static struct seen *place_of(struct rs_finder *finder, const struct seen *wanted)
{
	uint32_t mixed = rs_read_be32(wanted->transaction) ^ rs_read_be32(wanted->who.bytes) ^
	                 (uint32_t)wanted->purpose;
	return &finder->seen[mixed % SEEN_COUNT];
}

static bool is_same(const struct seen *a, const struct seen *b)
{
	return a->purpose == b->purpose &&
	       rs_bytes_equal(rs_bytes_of(a->transaction, sizeof a->transaction),
	                      rs_bytes_of(b->transaction, sizeof b->transaction)) &&
	       rs_member_key_equal(&a->who, &b->who);
}

/* RS_NOT_FOUND: the ledger does not know it yet. */
static enum rs_code read_commitment(struct rs_node *node, struct seen *seen, struct rs_error *err)
{
	struct rs_bytes bytes;
	struct rs_act act;
	uint64_t entry;
	RS_TRY(rs_ledger_find(node->ledger, seen->transaction, &entry, err));
	RS_TRY(rs_ledger_entry(node->ledger, entry, &bytes, err));
	RS_TRY(rs_transaction_parse(bytes, &act, err));
	seen->commitment = act.commitment;
	return RS_OK;
}

/* The study's row in what is remembered, filled as far as it can be without asking. */
static enum rs_code look_up(struct finding *finding, int64_t study, struct seen *out, struct rs_error *err)
{
	*out = (struct seen){.who = finding->who, .purpose = finding->purpose};
	RS_TRY(rs_catalogue_first_transaction(finding->catalogue, study, out->transaction, err));
	const struct seen *place = place_of(finding->finder, out);
	if (!is_same(place, out))
		return read_commitment(finding->finder->node, out, err);
	*out = *place;
	return RS_OK;
}

static enum rs_code decide(struct finding *finding, int64_t study, struct seen *out, bool *out_permitted,
                           struct rs_error *err)
{
	const struct rs_state state = rs_node_state(finding->finder->node);
	struct rs_decision decision;
	*out_permitted = false;
	enum rs_code code = look_up(finding, study, out, err);
	if (code != RS_OK)
		return code == RS_NOT_FOUND ? RS_OK : code;
	const struct rs_act act = {.type = RS_TRANSACTION_ACCESS_REQUEST,
	                           .operation = RS_OPERATION_READ,
	                           .purpose = finding->purpose,
	                           .commitment = out->commitment,
	                           .signer = finding->who,
	                           .time_ms = finding->now_ms};
	RS_TRY(rs_contract_decide(&state, &act, &decision, err));
	*out_permitted = decision.refusal == RS_REFUSAL_NONE;
	return RS_OK;
}

static enum rs_code see_study(struct finding *finding, int64_t study, bool *out_permitted,
                              struct rs_error *err)
{
	if (study != finding->study)
		RS_TRY(decide(finding, study, &finding->seen, &finding->is_permitted, err));
	finding->study = study;
	*out_permitted = finding->is_permitted;
	return RS_OK;
}

/* The study that was seen last is told of: a request for it is due, unless there was one lately. */
static enum rs_code ask_for_seen(struct finding *finding, struct rs_error *err)
{
	struct seen *seen = &finding->seen;
	if (seen->asked_ms && finding->now_ms - seen->asked_ms < RS_FIND_AGAIN_MS)
		return RS_OK;
	seen->asked_ms = finding->now_ms;
	*place_of(finding->finder, seen) = *seen;
	rs_buffer_append(&finding->asking, seen->commitment.bytes, RS_SHA256_SIZE);
	return rs_buffer_check(&finding->asking, "requests", err);
}

/* A patient is seen by who may see one of the studies. */
static enum rs_code see_patient(struct finding *finding, int64_t patient, bool *out_permitted,
                                struct rs_error *err)
{
	struct rs_buffer studies RS_CLEANUP(rs_buffer_finish) = {0};
	*out_permitted = false;
	rs_buffer_init(&studies, (size_t)1 << 24);
	RS_TRY(rs_catalogue_studies_of(finding->catalogue, patient, &studies, err));
	for (size_t at = 0; at < studies.size && !*out_permitted; at += 8)
		RS_TRY(see_study(finding, (int64_t)rs_read_be64(studies.data + at), out_permitted, err));
	return RS_OK;
}

static enum rs_code copy_bytes(struct finding *finding, struct rs_bytes *bytes, struct rs_error *err)
{
	uint8_t *copy = rs_arena_allocate(&finding->arena, bytes->size + 1);
	if (!copy)
		return rs_error_set(err, RS_TOO_LARGE, "what matches takes more than %zu bytes",
		                    PAGE_BYTES_MAX);
	if (bytes->size)
		memcpy(copy, bytes->data, bytes->size);
	bytes->data = copy;
	return RS_OK;
}

/* Levels that the match before has, too, are shared. */
static enum rs_code keep(struct finding *finding, const struct rs_catalogue_match *match,
                         struct rs_error *err)
{
	const struct rs_catalogue_match *last = finding->count ? &finding->matches[finding->count - 1] : NULL;
	if (finding->count == finding->capacity) {
		size_t capacity = finding->capacity ? 2 * finding->capacity : 64, size;
		struct rs_catalogue_match *matches = rs_mul_size(capacity, sizeof *matches, &size)
		                                             ? rs_reallocate(finding->matches, size)
		                                             : NULL;
		if (!matches)
			return rs_error_memory(err, capacity, "what matches");
		last = finding->count ? &matches[finding->count - 1] : NULL;
		finding->matches = matches;
		finding->capacity = capacity;
	}
	struct rs_catalogue_match copy = *match;
	for (size_t i = 0; i <= match->level; i++) {
		if (last && last->row[i] == match->row[i])
			copy.values[i] = last->values[i];
		else
			RS_TRY(copy_bytes(finding, &copy.values[i], err));
	}
	RS_TRY(copy_bytes(finding, &copy.subject, err));
	finding->matches[finding->count++] = copy;
	return RS_OK;
}

static enum rs_code take(void *context, const struct rs_catalogue_match *match, bool *out_stop,
                         struct rs_error *err)
{
	struct finding *finding = context;
	const struct rs_find *find = finding->find;
	uint64_t limit = find->limit ? find->limit - finding->counts.given : UINT64_MAX;
	bool permitted;
	RS_TRY(match->level == RS_LEVEL_PATIENT
	               ? see_patient(finding, match->row[RS_LEVEL_PATIENT], &permitted, err)
	               : see_study(finding, match->row[RS_LEVEL_STUDY], &permitted, err));
	if (!permitted) {
		finding->counts.hidden++;
		return RS_OK;
	}
	if (finding->passed < find->offset) {
		finding->passed++;
		return RS_OK;
	}
	if (finding->count >= limit) {
		finding->counts.has_more = true;
		*out_stop = true;
		return RS_OK;
	}
	/* A page ends with the row that the walk came by, so that it can go on behind it. */
	*out_stop = finding->count + 1 >= PAGE && !find->limit;
	RS_TRY(ask_for_seen(finding, err));
	return keep(finding, match, err);
}

static enum rs_code ask_group(struct finding *finding, const uint8_t *commitments, size_t count,
                              struct rs_error *err)
{
	struct rs_node *node = finding->finder->node;
	struct rs_act acts[PAGE];
	struct rs_append_result results[PAGE];
	for (size_t i = 0; i < count; i++) {
		acts[i] = (struct rs_act){.type = RS_TRANSACTION_ACCESS_REQUEST,
		                          .time_ms = finding->now_ms,
		                          .purpose = finding->purpose,
		                          .operation = RS_OPERATION_READ};
		memcpy(acts[i].commitment.bytes, commitments + i * RS_SHA256_SIZE, RS_SHA256_SIZE);
	}
	RS_TRY(rs_node_transact_all(node, finding->find->actor, acts, count, results, err));
	for (size_t i = 0; i < count; i++) {
		struct rs_decision decision;
		RS_TRY(node_decision(node, &acts[i], &results[i], &decision, err));
		RS_TRY(node_refusal(&decision, err));
	}
	finding->counts.requests += count;
	return RS_OK;
}

static enum rs_code ask(struct finding *finding, struct rs_error *err)
{
	size_t all = finding->asking.size / RS_SHA256_SIZE;
	enum rs_code code = RS_OK;
	for (size_t start = 0; code == RS_OK && start < all; start += PAGE)
		code = ask_group(finding, finding->asking.data + start * RS_SHA256_SIZE,
		                 all - start < PAGE ? all - start : PAGE, err);
	if (code != RS_OK)
		memset(finding->finder->seen, 0, sizeof finding->finder->seen);
	return code;
}

static enum rs_code tell_each(struct finding *finding, rs_find_visit *visit, void *context,
                              struct rs_error *err)
{
	for (size_t i = 0; i < finding->count; i++) {
		const struct rs_found found = {finding->matches[i], finding->finder, finding->find};
		RS_TRY(visit(context, &found, err));
		finding->counts.given++;
	}
	return RS_OK;
}

static enum rs_code begin(struct rs_finder *finder, const struct rs_find *find, struct finding *out,
                          struct rs_error *err)
{
	*out = (struct finding){.finder = finder,
	                        .find = find,
	                        .who = rs_actor_id(find->actor),
	                        .now_ms = rs_world_now_ms(finder->node->world)};
	rs_arena_init(&out->arena, PAGE_BYTES_MAX);
	rs_buffer_init(&out->asking, (size_t)1 << 26);
	RS_TRY(node_hold(finder->node, err));
	RS_TRY(node_catalogue(finder->node, &out->catalogue, err));
	return check_actor(out, err);
}

/* One moment of index and ledger: without it each of the many reads would take and give back locks of both files. */
static enum rs_code hold(struct rs_node *node, struct rs_error *err)
{
	int64_t unused;
	RS_TRY(rs_store_pin(index_store(node->index), &unused, err));
	return rs_store_pin(rs_ledger_store(node->ledger), &unused, err);
}

static void let_go(struct rs_node *node)
{
	rs_store_rollback(index_store(node->index));
	rs_store_rollback(rs_ledger_store(node->ledger));
}

static enum rs_code look(struct finding *finding, struct rs_error *err)
{
	const struct rs_find *find = finding->find;
	struct rs_catalogue_place place = {.part = 0};
	enum rs_code code = hold(finding->finder->node, err);
	if (code == RS_OK)
		code = rs_catalogue_find(finding->catalogue, &find->query, find->place ? find->place : &place,
		                         take, finding, &finding->counts.has_ended, err);
	let_go(finding->finder->node);
	return code;
}

static enum rs_code tell(struct finding *finding, rs_find_visit *visit, void *context, struct rs_error *err)
{
	enum rs_code code = hold(finding->finder->node, err);
	if (code == RS_OK)
		code = tell_each(finding, visit, context, err);
	let_go(finding->finder->node);
	return code;
}

enum rs_code rs_finder_find(struct rs_finder *finder, const struct rs_find *find, rs_find_visit *visit,
                            void *context, struct rs_find_counts *out, struct rs_error *err)
{
	struct finding finding RS_CLEANUP(finding_finish) = {.count = 0};
	RS_TRY(begin(finder, find, &finding, err));
	RS_TRY(look(&finding, err));
	if (!find->told)
		RS_TRY(ask(&finding, err));
	RS_TRY(tell(&finding, visit, context, err));
	if (find->told) {
		find->told(find->told_context, finder->node, finding.counts.has_ended);
		RS_TRY(ask(&finding, err));
	}
	*out = finding.counts;
	return RS_OK;
}

/* Of a patient's studies that the actor may see. column: 0 studies, else the tag of what is added up. */
static enum rs_code count_seen(const struct rs_found *found, uint32_t tag, uint64_t *out,
                               struct rs_error *err)
{
	struct finding finding RS_CLEANUP(finding_finish) = {.count = 0};
	struct rs_buffer studies RS_CLEANUP(rs_buffer_finish) = {0};
	rs_buffer_init(&studies, (size_t)1 << 24);
	RS_TRY(begin(found->finder, found->find, &finding, err));
	RS_TRY(rs_catalogue_studies_of(finding.catalogue, found->match.row[RS_LEVEL_PATIENT], &studies, err));
	*out = 0;
	for (size_t at = 0; at < studies.size; at += 8) {
		struct rs_catalogue_match study = {.level = RS_LEVEL_STUDY, .catalogue = finding.catalogue};
		char text[RS_CATALOGUE_COUNT_SIZE];
		struct rs_str value = RS_STR("1");
		uint64_t number = 0;
		bool permitted;
		study.row[RS_LEVEL_STUDY] = (int64_t)rs_read_be64(studies.data + at);
		RS_TRY(see_study(&finding, study.row[RS_LEVEL_STUDY], &permitted, err));
		if (permitted && tag)
			RS_TRY(rs_catalogue_value(&study, tag, text, &value, err));
		if (permitted && rs_parse_u64(value, &number))
			*out += number;
	}
	return RS_OK;
}

enum rs_code rs_found_value(const struct rs_found *found, uint32_t tag,
                            char text[static RS_CATALOGUE_COUNT_SIZE], struct rs_str *out,
                            struct rs_error *err)
{
	static const uint32_t counts[][2] = {
		{0x00201200, 0}, {0x00201202, 0x00201206}, {0x00201204, 0x00201208}};
	for (size_t i = 0; i < RS_COUNT(counts); i++) {
		uint64_t number;
		if (tag != counts[i][0])
			continue;
		RS_TRY(count_seen(found, counts[i][1], &number, err));
		int size = snprintf(text, RS_CATALOGUE_COUNT_SIZE, "%llu", (unsigned long long)number);
		*out = (struct rs_str){text, (size_t)size};
		return RS_OK;
	}
	return rs_catalogue_value(&found->match, tag, text, out, err);
}

enum rs_code rs_found_object(const struct rs_found *found, struct rs_cid *out_cid, uint64_t *out_entry,
                             struct rs_digest *out_content, struct rs_error *err)
{
	struct rs_node *node = found->finder->node;
	struct index_row row;
	struct rs_digest content;
	uint64_t entry;
	if (found->match.level != RS_LEVEL_IMAGE)
		return rs_error_set(err, RS_USAGE, "only an image is an object");
	RS_TRY(index_find_row(node->index, found->match.row[RS_LEVEL_IMAGE], &row, err));
	if (!rs_cid_from_bytes(row.cid, out_cid) || row.transaction_id.size != TRANSACTION_ID_SIZE ||
	    row.content_locator.size != RS_SHA256_SIZE)
		return rs_error_set(err, RS_ALTERED, "a row of the index is malformed");
	memcpy(content.bytes, row.content_locator.data, RS_SHA256_SIZE);
	RS_TRY(rs_ledger_find(node->ledger, row.transaction_id.data, &entry, err));
	*out_entry = entry;
	*out_content = content;
	return RS_OK;
}
