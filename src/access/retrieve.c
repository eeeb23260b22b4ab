/* Giving out: choose → ask → decide → decrypt, compare, write. Nothing is decrypted for somebody whose request is not
 * durable on the ledger. */
#include "access/access_retrieve.h"

#include <stdlib.h>
#include <string.h>

#include "release.h"

#define GROUP_MAX 256 /* objects whose requests share a commit */

struct item {
	struct rs_cid cid;
	int64_t entry;  /* that registered it; -1: no such object */
	size_t request; /* of its entry: all objects of one entry are asked for at once */
	struct rs_retrieved result;
	char *path;
};

struct retrieving {
	struct rs_node *node;
	const struct rs_actor *actor;
	const struct rs_retrieval *what;
	struct item *items;
	size_t count, capacity;
	struct rs_error *first;
};

static void retrieving_finish(struct retrieving *retrieving)
{
	for (size_t i = 0; i < retrieving->count; i++)
		rs_free(retrieving->items[i].path);
	rs_free(retrieving->items);
}

static enum rs_code add_item(struct retrieving *retrieving, const struct rs_cid *cid, int64_t entry,
                             struct rs_error *err)
{
	if (retrieving->count == retrieving->capacity) {
		size_t capacity = retrieving->capacity ? 2 * retrieving->capacity : 64, size;
		struct item *items = rs_mul_size(capacity, sizeof *items, &size)
		                             ? rs_reallocate(retrieving->items, size)
		                             : NULL;
		if (!items)
			return rs_error_memory(err, capacity, "the objects to retrieve");
		retrieving->items = items;
		retrieving->capacity = capacity;
	}
	struct item *item = &retrieving->items[retrieving->count++];
	*item = (struct item){.cid = *cid, .entry = entry, .result = {.path = ""}};
	rs_cid_format(cid, item->result.cid);
	return RS_OK;
}

static bool fits(struct rs_str wanted, struct rs_str uid)
{
	return !wanted.size || rs_str_equal(wanted, uid);
}

static enum rs_code choose_row(void *context, const struct index_row *row, struct rs_error *err)
{
	struct retrieving *retrieving = context;
	const struct rs_retrieval *what = retrieving->what;
	struct rs_buffer encoded RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_record record;
	struct rs_cid cid;
	if (row->entry < 0 || row->instances == 0)
		return RS_OK;
	rs_buffer_init(&encoded, 8192);
	RS_TRY(node_open_record(retrieving->node, row, &encoded, err));
	RS_TRY(rs_record_decode(rs_buffer_bytes(&encoded), &record, err));
	if (!fits(what->instance, record.identifiers[0]) || !fits(what->series, record.identifiers[1]) ||
	    !fits(what->study, record.identifiers[2]))
		return RS_OK;
	if (!rs_cid_from_bytes(row->cid, &cid))
		return rs_error_set(err, RS_ALTERED, "an address in the index is none");
	return add_item(retrieving, &cid, row->entry, err);
}

static enum rs_code choose_cid(struct retrieving *retrieving, const char *text, struct rs_error *err)
{
	struct rs_cid cid;
	struct index_row row;
	if (!rs_cid_parse(rs_str_from(text), &cid))
		return rs_error_set(err, RS_USAGE, "'%s' is no address of an object (a CID)", text);
	enum rs_code code = index_find_object(retrieving->node->index,
	                                      rs_bytes_of(cid.bytes, sizeof cid.bytes), &row, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	return add_item(retrieving, &cid, code == RS_OK ? row.entry : -1, err);
}

static int by_entry(const void *a, const void *b)
{
	const struct item *first = a, *second = b;
	int order = (first->entry > second->entry) - (first->entry < second->entry);
	return order ? order : memcmp(first->cid.bytes, second->cid.bytes, sizeof first->cid.bytes);
}

static enum rs_code choose(struct retrieving *retrieving, struct rs_error *err)
{
	const struct rs_retrieval *what = retrieving->what;
	for (size_t i = 0; i < what->cid_count; i++)
		RS_TRY(choose_cid(retrieving, what->cids[i], err));
	if (what->subject) {
		const struct rs_pseudonym *pseudonym = &what->subject->pseudonym;
		RS_TRY(index_each_row_of_subject(retrieving->node->index,
		                                 rs_bytes_of(pseudonym->bytes, sizeof pseudonym->bytes),
		                                 choose_row, retrieving, err));
	}
	if (retrieving->count == 0)
		return rs_error_set(err, RS_NOT_FOUND, "no object fits what was asked for");
	qsort(retrieving->items, retrieving->count, sizeof *retrieving->items, by_entry);
	return RS_OK;
}

/* A group of objects and the requests for them, one for each entry. */
struct round {
	struct retrieving *retrieving;
	struct item *items;
	size_t count;
	struct rs_act acts[GROUP_MAX];
	struct rs_append_result results[GROUP_MAX];
	size_t act_count;
};

static enum rs_code form_requests(struct round *round, struct rs_error *err)
{
	const struct rs_retrieval *what = round->retrieving->what;
	int64_t last = -1;
	for (size_t i = 0; i < round->count; i++) {
		struct item *item = &round->items[i];
		struct rs_bytes bytes;
		struct rs_act object;
		if (item->entry < 0)
			continue;
		if (item->entry != last) {
			RS_TRY(rs_ledger_entry(round->retrieving->node->ledger, (uint64_t)item->entry, &bytes,
			                       err));
			RS_TRY(rs_transaction_parse(bytes, &object, err));
			round->acts[round->act_count++] = (struct rs_act){
				.type = RS_TRANSACTION_ACCESS_REQUEST,
				.commitment = object.commitment,
				.purpose = what->purpose,
				.operation = what->operation,
			};
		}
		item->request = round->act_count - 1;
		last = item->entry;
	}
	return RS_OK;
}

/* To whom nobody consented nothing is sealed, whatever the sender may do: there must be a purpose and an operation that the
 * contract would allow the recipient now. */
static enum rs_code judge_recipient(struct round *round, const struct rs_act *request,
                                    struct rs_decision *out, struct rs_error *err)
{
	const struct rs_state state = rs_ledger_state(round->retrieving->node->ledger);
	struct rs_act act = *request;
	struct rs_decision decision, first = {.refusal = RS_REFUSAL_PURPOSE};
	act.signer = *round->retrieving->what->recipient;
	for (unsigned purpose = RS_PURPOSE_TREATMENT; purpose <= RS_PURPOSE_PATIENT_REQUEST; purpose++)
		for (unsigned operation = RS_OPERATION_READ; operation <= RS_OPERATION_EXPORT; operation++) {
			act.purpose = (enum rs_purpose)purpose;
			act.operation = (enum rs_operation)operation;
			RS_TRY(rs_contract_decide(&state, &act, &decision, err));
			if (decision.refusal == RS_REFUSAL_NONE)
				return RS_OK;
			if (first.refusal == RS_REFUSAL_PURPOSE)
				first = decision;
		}
	*out = first;
	return RS_OK;
}

static enum rs_code judge(struct round *round, struct item *item, struct rs_error *err)
{
	const struct rs_append_result *answer = &round->results[item->request];
	struct rs_retrieved *result = &item->result;
	if (item->entry < 0) {
		rs_error_set(&result->error, RS_NOT_FOUND, "there is no such object here");
		return RS_OK;
	}
	result->asked = answer->refusal == RS_REFUSAL_NONE;
	result->entry = answer->index;
	RS_TRY(node_decision(round->retrieving->node, &round->acts[item->request], answer, &result->decision,
	                     err));
	if (result->decision.refusal == RS_REFUSAL_NONE && round->retrieving->what->recipient) {
		RS_TRY(judge_recipient(round, &round->acts[item->request], &result->decision, err));
		if (node_refusal(&result->decision, &result->error) != RS_OK)
			rs_error_context(&result->error, "the recipient");
		return RS_OK;
	}
	(void)node_refusal(&result->decision, &result->error);
	return RS_OK;
}

static enum rs_code release_one(void *context, size_t index, struct rs_error *err)
{
	struct round *round = context;
	struct item *item = &round->items[index];
	struct rs_error reason = {0};
	if (item->result.error.code != RS_OK)
		return RS_OK;
	enum rs_code code = node_release(round->retrieving->node, &item->cid,
	                                 round->retrieving->what->recipient,
	                                 round->retrieving->what->directory, &item->path, &reason);
	if (code == RS_NO_SPACE || code == RS_NO_MEMORY || code == RS_INTERNAL) {
		if (err)
			*err = reason;
		return code;
	}
	if (code != RS_OK)
		item->result.error = reason;
	else
		item->result.path = item->path;
	return RS_OK;
}

static void tell(struct round *round)
{
	const struct rs_retrieval *what = round->retrieving->what;
	struct rs_error *first = round->retrieving->first;
	for (size_t i = 0; i < round->count; i++) {
		const struct rs_retrieved *result = &round->items[i].result;
		if (result->error.code != RS_OK && first->code == RS_OK)
			*first = result->error;
		if (what->report)
			what->report(what->context, result);
	}
}

static enum rs_code retrieve_group(struct round *round, struct rs_error *err)
{
	struct retrieving *retrieving = round->retrieving;
	struct rs_node *node = retrieving->node;
	RS_TRY(form_requests(round, err));
	if (round->act_count)
		RS_TRY(rs_node_transact_all(node, retrieving->actor, round->acts, round->act_count,
		                            round->results, err));
	for (size_t i = 0; i < round->count; i++)
		RS_TRY(judge(round, &round->items[i], err));
	rs_node_rest(node); /* what is left only reads */
	RS_TRY(rs_pool_for(node->pool, round->count, release_one, round, err));
	RS_TRY(node->world->files->sync_directory(node->world->files, retrieving->what->directory, err));
	tell(round);
	return RS_OK;
}

enum rs_code rs_node_retrieve(struct rs_node *node, const struct rs_actor *actor,
                              const struct rs_retrieval *retrieval, struct rs_error *err)
{
	struct rs_error first = {.code = RS_OK};
	struct retrieving retrieving RS_CLEANUP(retrieving_finish) = {
		.node = node, .actor = actor, .what = retrieval, .first = &first};
	struct round *round RS_CLEANUP(rs_free_pointer) = rs_allocate(sizeof *round);
	if (!round)
		return rs_error_memory(err, sizeof *round, "a group of requests");
	if (retrieval->recipient && retrieval->operation != RS_OPERATION_EXPORT)
		return rs_error_set(err, RS_USAGE, "a bundle for another member is an export");
	RS_TRY(choose(&retrieving, err));
	RS_TRY(rs_directory_make(node->world, retrieval->directory, err));
	for (size_t start = 0; start < retrieving.count; start += round->count) {
		size_t left = retrieving.count - start;
		*round = (struct round){.retrieving = &retrieving,
		                        .items = retrieving.items + start,
		                        .count = left < GROUP_MAX ? left : GROUP_MAX};
		RS_TRY(retrieve_group(round, err));
	}
	if (first.code != RS_OK && err)
		*err = first;
	return first.code;
}
