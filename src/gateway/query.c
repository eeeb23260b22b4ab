/* Query and retrieval as a user of an archive (PS3.4 annex C): C-FIND and C-MOVE. */
#include <stdlib.h>
#include <string.h>

#include "asking.h"

#define KEYS_MAX 128
#define ANSWER_MAX ((size_t)1 << 20) /* a match */
#define ROOT "1.2.840.10008.5.1.4.1.2."
#define CHARACTER_SET RS_DICOM_TAG(0x0008, 0x0005)
#define LEVEL RS_DICOM_TAG(0x0008, 0x0052)

struct key {
	uint32_t tag;
	const char *vr;
	char *value; /* owned */
};

struct keys {
	struct key items[KEYS_MAX];
	size_t count;
};

static void keys_finish(struct keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		rs_free(keys->items[i].value);
}

/* VRs whose values are text (PS3.5 section 6.2). */
static bool is_text(const char *vr)
{
	static const char *const texts[] = {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO",
	                                    "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UT"};
	for (size_t i = 0; i < RS_COUNT(texts); i++)
		if (strcmp(vr, texts[i]) == 0)
			return true;
	return false;
}

static enum rs_code add_key(struct keys *keys, uint32_t tag, const char *vr, struct rs_str value,
                            struct rs_error *err)
{
	if (keys->count == KEYS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %d keys", KEYS_MAX);
	struct key *key = &keys->items[keys->count];
	*key = (struct key){tag, vr, rs_str_duplicate(value)};
	if (!key->value)
		return rs_error_memory(err, value.size, "a key");
	keys->count++;
	return RS_OK;
}

static enum rs_code parse_key(struct rs_str text, struct keys *keys, struct rs_error *err)
{
	struct rs_str keyword;
	rs_str_split(&text, '=', &keyword);
	const struct rs_dicom_entry *entry = rs_dicom_lookup_keyword(keyword);
	if (!entry || !is_text(entry->vr) || entry->tag == LEVEL || entry->tag == CHARACTER_SET)
		return rs_error_set(err, RS_USAGE,
		                    "'" RS_STR_FORMAT "' is no keyword of an attribute to ask for",
		                    RS_STR_ARGUMENTS(keyword));
	return add_key(keys, entry->tag, entry->vr, text, err);
}

static int by_tag(const void *a, const void *b)
{
	const struct key *first = a, *second = b;
	return (first->tag > second->tag) - (first->tag < second->tag);
}

static bool is_ascii(struct rs_str text)
{
	for (size_t i = 0; i < text.size; i++)
		if ((uint8_t)text.data[i] > 0x7E)
			return false;
	return true;
}

static enum rs_code add_level(const char *level, struct keys *keys, struct rs_error *err)
{
	static const char *const levels[] = {"PATIENT", "STUDY", "SERIES", "IMAGE"};
	for (size_t i = 0; i < RS_COUNT(levels); i++)
		if (rs_str_equal_ignoring_case(rs_str_from(level), rs_str_from(levels[i])))
			return add_key(keys, LEVEL, "CS", rs_str_from(levels[i]), err);
	return rs_error_set(err, RS_USAGE, "a level is patient, study, series or image, not '%s'", level);
}

static enum rs_code collect_keys(const struct rs_dicom_query *query, struct keys *keys, struct rs_error *err)
{
	bool plain = true;
	RS_TRY(add_level(query->level, keys, err));
	for (size_t i = 0; i < query->key_count; i++) {
		RS_TRY(parse_key(rs_str_from(query->keys[i]), keys, err));
		plain = plain && is_ascii(rs_str_from(query->keys[i]));
	}
	if (!plain)
		RS_TRY(add_key(keys, CHARACTER_SET, "CS", RS_STR("ISO_IR 192"), err));
	qsort(keys->items, keys->count, sizeof *keys->items, by_tag);
	for (size_t i = 1; i < keys->count; i++)
		if (keys->items[i].tag == keys->items[i - 1].tag)
			return rs_error_set(err, RS_USAGE, "%s is given twice",
			                    rs_dicom_lookup(keys->items[i].tag)->keyword);
	return RS_OK;
}

/* The identifier (PS3.4 section C.4.1.1.3), implicit little endian. */
static enum rs_code write_identifier(const struct rs_dicom_query *query, struct rs_buffer *out,
                                     struct rs_error *err)
{
	struct keys keys RS_CLEANUP(keys_finish) = {.count = 0};
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	RS_TRY(collect_keys(query, &keys, err));
	rs_dicom_builder_init(&builder, RS_DICOM_IMPLICIT_LE, ANSWER_MAX);
	for (size_t i = 0; i < keys.count; i++)
		rs_dicom_builder_text(&builder, keys.items[i].tag, keys.items[i].vr, keys.items[i].value);
	if (builder.failure.code != RS_OK)
		return rs_error_set(err, builder.failure.code, "%s", builder.failure.message);
	rs_buffer_append_bytes(out, rs_buffer_bytes(&builder.body));
	RS_TRY(rs_buffer_check(&builder.body, "a query", err));
	return rs_buffer_check(out, "a query", err);
}

void asking_finish(struct asking *asking)
{
	client_close(&asking->client);
	rs_buffer_finish(&asking->identifier);
	rs_buffer_finish(&asking->answer);
}

const char *asking_class(const struct rs_dicom_query *query, uint16_t field)
{
	static const char *const classes[2][3] = {{ROOT "2.1", ROOT "2.2", ROOT "2.3"},
	                                          {ROOT "1.1", ROOT "1.2", ROOT "1.3"}};
	return classes[query->is_patient_root][field == RS_C_FIND_RQ ? 0 : field == RS_C_MOVE_RQ ? 1 : 2];
}

static enum rs_code put_request(struct asking *asking, uint16_t field, const char *destination,
                                struct rs_error *err)
{
	struct rs_command request = {.present = RS_HAS(SOP_CLASS) | RS_HAS(FIELD) | RS_HAS(MESSAGE) |
	                                        RS_HAS(PRIORITY) | RS_HAS(DATA) |
	                                        (destination ? RS_HAS(DESTINATION) : 0),
	                             .field = field,
	                             .message = 1};
	struct rs_association *association = asking->client.association;
	if (destination)
		memcpy(request.title, destination, strlen(destination) + 1);
	memcpy(request.sop_class, asking->sop_class, strlen(asking->sop_class) + 1);
	asking->client.message = request.message;
	RS_TRY(rs_association_command(association, asking->context, &request, err));
	RS_TRY(rs_association_data(association, asking->context, rs_buffer_bytes(&asking->identifier), err));
	return client_flush(&asking->client, err);
}

enum rs_code asking_open(const struct rs_dicom_peer *peer, const struct rs_dicom_query *query, uint16_t field,
                         const char *destination, const struct client_proposal *proposals, size_t count,
                         struct asking *out, struct rs_error *err)
{
	*out = (struct asking){.sop_class = asking_class(query, field)};
	rs_buffer_init(&out->identifier, ANSWER_MAX);
	rs_buffer_init(&out->answer, ANSWER_MAX);
	RS_TRY(write_identifier(query, &out->identifier, err));
	if (destination && strlen(destination) >= RS_TITLE_SIZE)
		return rs_error_set(err, RS_USAGE, "AE titles have 1 to %d characters", RS_TITLE_SIZE - 1);
	RS_TRY(client_open(peer, proposals, count, &out->client, err));
	const struct rs_context *context = client_context(&out->client, out->sop_class,
	                                                  RS_SYNTAX_IMPLICIT_LE);
	if (!context)
		return rs_error_set(err, RS_REFUSED, "%s: the peer does not serve that", peer->address);
	out->context = context->id;
	return put_request(out, field, destination, err);
}

static enum rs_code ask(const struct rs_dicom_peer *peer, const struct rs_dicom_query *query, uint16_t field,
                        const char *destination, struct asking *out, struct rs_error *err)
{
	const struct client_proposal proposal = {asking_class(query, field), RS_SYNTAX_IMPLICIT_LE, false};
	return asking_open(peer, query, field, destination, &proposal, 1, out, err);
}

bool asking_is_pending(uint16_t status)
{
	return status == RS_STATUS_PENDING || status == RS_STATUS_PENDING + 1;
}

enum rs_code asking_refused(const struct rs_command *response, struct rs_error *err)
{
	return rs_error_set(err, RS_REFUSED, "the peer answers with status %04XH%s%s", response->status,
	                    response->comment[0] ? ": " : "", response->comment);
}

static enum rs_code give(struct asking *asking, rs_dicom_match *match, void *context, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	rs_buffer_init(&file, ANSWER_MAX + 4096);
	RS_TRY(rs_dicom_put_meta(asking->sop_class, "1.2", RS_SYNTAX_IMPLICIT_LE, NULL, &file, err));
	rs_buffer_append_bytes(&file, rs_buffer_bytes(&asking->answer));
	RS_TRY(rs_buffer_check(&file, "a match", err));
	RS_TRY(rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err));
	return match(context, &dicom, err);
}

/* PS3.7 section 9.3.2.3. */
static enum rs_code cancel(struct asking *asking, struct rs_error *err)
{
	const struct rs_command request = {.present = RS_HAS(FIELD) | RS_HAS(RESPONDED) | RS_HAS(DATA),
	                                   .field = RS_C_CANCEL_RQ,
	                                   .message = asking->client.message,
	                                   .data = RS_NO_DATA};
	RS_TRY(rs_association_command(asking->client.association, asking->context, &request, err));
	return client_flush(&asking->client, err);
}

enum rs_code rs_dicom_peer_find(const struct rs_dicom_peer *peer, const struct rs_dicom_query *query,
                                rs_dicom_match *match, void *context, struct rs_error *err)
{
	struct asking asking RS_CLEANUP(asking_finish) = {.context = 0};
	struct rs_command response = {.status = RS_STATUS_PENDING};
	uint64_t count = 0;
	RS_TRY(ask(peer, query, RS_C_FIND_RQ, NULL, &asking, err));
	for (;;) {
		RS_TRY(client_message(&asking.client, &response, &asking.answer, err));
		if (!asking_is_pending(response.status))
			break;
		if (count++ < query->matches_max)
			RS_TRY(give(&asking, match, context, err));
		if (count == query->matches_max)
			RS_TRY(cancel(&asking, err));
	}
	bool ended = response.status == RS_STATUS_SUCCESS ||
	             (response.status == RS_STATUS_CANCELLED && count >= query->matches_max);
	return ended ? RS_OK : asking_refused(&response, err);
}

enum rs_code rs_dicom_peer_move(const struct rs_dicom_peer *peer, const struct rs_dicom_query *query,
                                const char *destination, struct rs_dicom_moved *out, struct rs_error *err)
{
	struct asking asking RS_CLEANUP(asking_finish) = {.context = 0};
	struct rs_command response = {.status = RS_STATUS_PENDING};
	*out = (struct rs_dicom_moved){.completed = 0};
	RS_TRY(ask(peer, query, RS_C_MOVE_RQ, destination, &asking, err));
	while (asking_is_pending(response.status)) {
		RS_TRY(client_message(&asking.client, &response, &asking.answer, err));
		if (response.present & RS_HAS(COMPLETED))
			*out = (struct rs_dicom_moved){response.completed, response.failed, response.warned};
	}
	return response.status == RS_STATUS_SUCCESS ? RS_OK : asking_refused(&response, err);
}
