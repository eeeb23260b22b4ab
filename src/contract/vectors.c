/* Vectors from JSON, for tests: each transaction is put together from its fields and signed here, so that what is compared
 * includes the bytes of the entry. */
#include "contract/contract_vectors.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const rs_vector_names[] = {"people", "objects", "consents", "oversight",
                                       "heads",  "paper-b", "random-1", "random-2"};
const size_t rs_vector_names_count = RS_COUNT(rs_vector_names);

struct rs_vectors {
	json_t *root;
};

enum form { FORM_TEXT, FORM_HEX, FORM_NUMBER, FORM_LIST };
#define AT(member) offsetof(struct rs_act, member), sizeof(((struct rs_act *)0)->member)
static const struct {
	const char *name;
	enum form form;
	size_t offset, width;
} fields[] = {
	{"id", FORM_HEX, AT(id)},
	{"time", FORM_NUMBER, AT(time_ms)},
	{"organisation", FORM_TEXT, AT(organisation)},
	{"member", FORM_HEX, AT(member)},
	{"role", FORM_NUMBER, AT(role)},
	{"from", FORM_NUMBER, AT(from_ms)},
	{"until", FORM_NUMBER, AT(until_ms)},
	{"kind", FORM_NUMBER, AT(kind)},
	{"commitment", FORM_HEX, AT(commitment)},
	{"instances", FORM_NUMBER, AT(instances)},
	{"previous", FORM_HEX, AT(previous)},
	{"parents", FORM_LIST, AT(parents)},
	{"organisation_kind", FORM_NUMBER, AT(organisation_kind)},
	{"subject", FORM_HEX, AT(subject)},
	{"study", FORM_HEX, AT(study)},
	{"label", FORM_HEX, AT(label)},
	{"consent", FORM_HEX, AT(consent)},
	{"effect", FORM_NUMBER, AT(effect)},
	{"roles", FORM_NUMBER, AT(roles)},
	{"purposes", FORM_NUMBER, AT(purposes)},
	{"operations", FORM_NUMBER, AT(operations)},
	{"studies", FORM_LIST, AT(studies)},
	{"purpose", FORM_NUMBER, AT(purpose)},
	{"operation", FORM_NUMBER, AT(operation)},
	{"reason", FORM_HEX, AT(reason)},
	{"glass", FORM_HEX, AT(glass)},
	{"outcome", FORM_NUMBER, AT(outcome)},
	{"attribute", FORM_NUMBER, AT(attribute)},
	{"locator", FORM_HEX, AT(locator)},
	{"origin", FORM_TEXT, AT(origin)},
	{"size", FORM_NUMBER, AT(size)},
	{"root", FORM_HEX, AT(root)},
	{"successor", FORM_HEX, AT(successor)},
};

enum rs_code rs_vectors_open(const char *name, struct rs_vectors **out, struct rs_error *err)
{
	char path[1024];
	const char *source = getenv("RADSEAL_SOURCE");
	json_error_t reason;
	struct rs_vectors *vectors = rs_allocate(sizeof *vectors);
	if (!vectors)
		return rs_error_memory(err, sizeof *vectors, "vectors");
	snprintf(path, sizeof path, "%s/contracts/vectors/%s.json", source ? source : ".", name);
	vectors->root = json_load_file(path, JSON_REJECT_DUPLICATES, &reason);
	if (!vectors->root) {
		rs_free(vectors);
		return rs_error_set(err, RS_MALFORMED, "%s:%d: %s", path, reason.line, reason.text);
	}
	*out = vectors;
	return RS_OK;
}

void rs_vectors_close(struct rs_vectors *vectors)
{
	if (!vectors)
		return;
	json_decref(vectors->root);
	rs_free(vectors);
}

size_t rs_vectors_count(const struct rs_vectors *vectors)
{
	return json_array_size(json_object_get(vectors->root, "steps"));
}

static enum rs_code wrong(const char *name, struct rs_error *err)
{
	return rs_error_set(err, RS_MALFORMED, "vector: '%s' is missing or wrong", name);
}

static enum rs_code read_hex(const json_t *object, const char *name, void *out, size_t size,
                             struct rs_error *err)
{
	const char *text = json_string_value(json_object_get(object, name));
	return text && rs_hex_decode(rs_str_from(text), out, size) ? RS_OK : wrong(name, err);
}

/* Lists lie in `space` until the transaction is signed. */
static enum rs_code read_list(const json_t *list, uint8_t *space, struct rs_bytes *out, struct rs_error *err)
{
	size_t count = json_array_size(list);
	if (count > RS_PARENTS_MAX)
		return wrong("list", err);
	for (size_t i = 0; i < count; i++) {
		const char *text = json_string_value(json_array_get(list, i));
		if (!text || !rs_hex_decode(rs_str_from(text), space + i * RS_SHA256_SIZE, RS_SHA256_SIZE))
			return wrong("list", err);
	}
	*out = rs_bytes_of(space, count * RS_SHA256_SIZE);
	return RS_OK;
}

struct space {
	uint8_t lists[2][RS_PARENTS_MAX * RS_SHA256_SIZE];
};

static enum rs_code read_field(const json_t *transaction, size_t i, struct space *space, struct rs_act *act,
                               struct rs_error *err)
{
	uint8_t *at = (uint8_t *)act + fields[i].offset;
	const json_t *value = json_object_get(transaction, fields[i].name);
	struct rs_bytes list;
	struct rs_str text;
	if (!value)
		return RS_OK;
	if (fields[i].form == FORM_HEX) {
		act->has_previous = act->has_previous ||
		                    fields[i].offset == offsetof(struct rs_act, previous);
		return read_hex(transaction, fields[i].name, at, fields[i].width, err);
	}
	if (fields[i].form == FORM_LIST) {
		bool parents = fields[i].offset == offsetof(struct rs_act, parents);
		RS_TRY(read_list(value, space->lists[parents], &list, err));
		memcpy(at, &list, sizeof list);
		return RS_OK;
	}
	if (fields[i].form == FORM_TEXT) {
		text = (struct rs_str){json_string_value(value), json_string_length(value)};
		memcpy(at, &text, sizeof text);
		return text.data ? RS_OK : wrong(fields[i].name, err);
	}
	uint64_t wide = (uint64_t)json_integer_value(value);
	uint32_t narrow = (uint32_t)wide;
	memcpy(at, fields[i].width == sizeof narrow ? (void *)&narrow : (void *)&wide, fields[i].width);
	return json_is_integer(value) ? RS_OK : wrong(fields[i].name, err);
}

static enum rs_code read_key(const struct rs_vectors *vectors, const json_t *step, struct rs_signing_key *out,
                             struct rs_error *err)
{
	const char *by = json_string_value(json_object_get(step, "by"));
	const json_t *key = by ? json_object_get(json_object_get(vectors->root, "keys"), by) : NULL;
	struct rs_secret seed;
	uint8_t public_key[RS_KEY_SIZE];
	RS_TRY(read_hex(key, "seed", seed.bytes, RS_KEY_SIZE, err));
	RS_TRY(read_hex(key, "public", public_key, RS_KEY_SIZE, err));
	rs_signing_key_from_seed(&seed, out);
	return memcmp(public_key, out->public_key, RS_KEY_SIZE) == 0 ? RS_OK : wrong("public", err);
}

static enum rs_code read_transaction(const struct rs_vectors *vectors, const json_t *step,
                                     struct rs_vector *out, struct rs_error *err)
{
	const json_t *transaction = json_object_get(step, "transaction");
	const char *type = json_string_value(json_object_get(transaction, "type"));
	struct rs_act act = {.time_ms = 0};
	struct rs_signing_key key;
	struct space space;
	size_t known = 1;
	if (!type || !rs_transaction_type_from_name(rs_str_from(type), &act.type))
		return wrong("type", err);
	for (size_t i = 0; i < RS_COUNT(fields); i++) {
		known += json_object_get(transaction, fields[i].name) != NULL;
		RS_TRY(read_field(transaction, i, &space, &act, err));
	}
	if (known != json_object_size(transaction))
		return wrong("transaction", err);
	RS_TRY(read_key(vectors, step, &key, err));
	memcpy(out->id, act.id, sizeof out->id);
	return rs_transaction_sign(&act, &key, &out->transaction, err);
}

static enum rs_code read_refusal(const json_t *object, const char *name, enum rs_refusal *out,
                                 struct rs_error *err)
{
	const char *text = json_string_value(json_object_get(object, name));
	for (unsigned i = 0; text && i < RS_REFUSAL_COUNT; i++)
		if (strcmp(text, rs_refusal_name((enum rs_refusal)i)) == 0) {
			*out = (enum rs_refusal)i;
			return RS_OK;
		}
	return wrong(name, err);
}

static enum rs_code read_decision(const json_t *step, struct rs_vector *out, struct rs_error *err)
{
	const json_t *decision = json_object_get(step, "decision");
	const char *consent = json_string_value(json_object_get(decision, "consent"));
	out->has_decision = decision != NULL;
	if (!decision)
		return RS_OK;
	RS_TRY(read_refusal(decision, "result", &out->decision.refusal, err));
	out->decision.basis = (enum rs_basis)json_integer_value(json_object_get(decision, "basis"));
	if (consent && consent[0])
		return read_hex(decision, "consent", out->decision.consent.bytes, RS_SHA256_SIZE, err);
	return consent ? RS_OK : wrong("consent", err);
}

/* The whole entry, or its hash alone where vectors are many. */
static enum rs_code read_entry(const json_t *step, struct rs_digest *out, struct rs_error *err)
{
	static uint8_t bytes[RS_ENTRY_SIZE_MAX];
	const char *text = json_string_value(json_object_get(step, "entry"));
	if (!text)
		return read_hex(step, "entry_sha256", out->bytes, RS_SHA256_SIZE, err);
	size_t size = strlen(text) / 2;
	if (size > sizeof bytes || !rs_hex_decode(rs_str_from(text), bytes, size))
		return wrong("entry", err);
	rs_sha256(rs_bytes_of(bytes, size), out);
	return RS_OK;
}

static enum rs_code read_rest(const json_t *step, struct rs_vector *out, struct rs_error *err)
{
	RS_TRY(read_entry(step, &out->entry_sha256, err));
	RS_TRY(read_refusal(step, "result", &out->refusal, err));
	if (json_integer_value(json_object_get(step, "code")) != (json_int_t)out->refusal)
		return wrong("code", err);
	RS_TRY(read_decision(step, out, err));
	return read_hex(step, "state", out->state.bytes, RS_SHA256_SIZE, err);
}

enum rs_code rs_vectors_read(const struct rs_vectors *vectors, size_t index, struct rs_vector *out,
                             struct rs_error *err)
{
	const json_t *step = json_array_get(json_object_get(vectors->root, "steps"), index);
	struct rs_vector vector = {.has_decision = false};
	enum rs_code code = read_rest(step, &vector, err);
	if (code == RS_OK)
		code = read_transaction(vectors, step, &vector, err);
	if (code != RS_OK)
		return rs_error_context(err, "step %zu", index);
	*out = vector;
	return RS_OK;
}
