/* Pages of matches: encoded while nobody commits, sent afterwards. */
#include "finding.h"

#include <string.h>

#define CHARACTER_SET RS_DICOM_TAG(0x0008, 0x0005)
#define LEVEL RS_DICOM_TAG(0x0008, 0x0052)
#define RETRIEVE_TITLE RS_DICOM_TAG(0x0008, 0x0054)
#define AVAILABILITY RS_DICOM_TAG(0x0008, 0x0056)
#define MATCH_MAX ((size_t)256 * 1024)
#define PAGE_MAX ((size_t)128 << 20)

struct finding {
	struct finding_service service;
	struct rs_command request;
	uint8_t context;
	enum rs_purpose purpose;
	bool is_implicit, is_cancelled;
	struct identifier identifier;
	struct rs_catalogue_place place;
	struct rs_buffer page; /* be32 size, data set; one after another */
	bool has_ended;
	uint64_t matches, hidden;
	uint16_t status;
};

void finding_destroy(struct finding *finding)
{
	if (!finding)
		return;
	identifier_finish(&finding->identifier);
	rs_buffer_finish(&finding->page);
	rs_free(finding);
}

enum rs_code finding_create(const struct finding_service *service, const struct rs_command *request,
                            const struct rs_context *context, enum rs_purpose purpose,
                            struct rs_bytes identifier, struct finding **out, struct rs_error *err)
{
	struct finding *finding = rs_allocate(sizeof *finding);
	if (!finding)
		return rs_error_memory(err, sizeof *finding, "a query");
	finding->service = *service;
	finding->request = *request;
	finding->context = context->id;
	finding->purpose = purpose;
	finding->is_implicit = strcmp(context->transfer_syntax, RS_SYNTAX_IMPLICIT_LE) == 0;
	rs_buffer_init(&finding->page, PAGE_MAX);
	enum rs_code code = identifier_read(identifier, context->sop_class, context->transfer_syntax,
	                                    &finding->identifier, err);
	if (code != RS_OK) {
		finding_destroy(finding);
		return code;
	}
	*out = finding;
	return RS_OK;
}

void finding_cancel(struct finding *finding) { finding->is_cancelled = true; }

bool finding_is(const struct finding *finding, uint16_t message)
{
	return finding->request.message == message;
}

struct finding_summary finding_summary(const struct finding *finding)
{
	return (struct finding_summary){rs_level_name(finding->identifier.level), finding->matches,
	                                finding->hidden, finding->status};
}

/* The text a value is sent as. *size 0: in Latin-1 it cannot be said. */
static size_t to_latin(struct rs_str text, uint8_t *out)
{
	size_t size = 0;
	for (size_t i = 0; i < text.size; i++) {
		uint8_t byte = (uint8_t)text.data[i];
		if (byte >= 0x80 && (byte < 0xC2 || byte > 0xC3 || i + 1 == text.size))
			return 0;
		out[size++] = byte < 0x80 ? byte
		                          : (uint8_t)((byte & 3) << 6 | ((uint8_t)text.data[++i] & 0x3F));
	}
	return size;
}

/* One response: values first, because they tell its character set. */
struct response {
	const struct finding *finding;
	const struct rs_found *found;
	struct rs_dicom_builder builder;
	enum { PLAIN, LATIN, UNICODE } set;
};

static enum rs_code value_of(const struct response *response, uint32_t tag,
                             char text[static RS_CATALOGUE_COUNT_SIZE], struct rs_str *out,
                             struct rs_error *err)
{
	if (tag == RETRIEVE_TITLE)
		*out = rs_str_from(response->finding->service.title);
	else if (tag == AVAILABILITY)
		*out = RS_STR("ONLINE");
	else
		return rs_found_value(response->found, tag, text, out, err);
	return RS_OK;
}

static enum rs_code choose_set(struct response *response, struct rs_error *err)
{
	const struct identifier *identifier = &response->finding->identifier;
	uint8_t latin[1024];
	for (size_t i = 0; i < identifier->element_count; i++) {
		char text[RS_CATALOGUE_COUNT_SIZE];
		struct rs_str value;
		RS_TRY(value_of(response, identifier->elements[i].tag, text, &value, err));
		bool plain = true;
		for (size_t at = 0; at < value.size; at++)
			plain = plain && (uint8_t)value.data[at] < 0x80;
		if (plain)
			continue;
		bool fits = identifier->is_latin && value.size <= sizeof latin && to_latin(value, latin);
		response->set = fits && response->set != UNICODE ? LATIN : UNICODE;
	}
	return RS_OK;
}

static void put_text(struct response *response, const struct identifier_element *element, struct rs_str value)
{
	uint8_t bytes[1024];
	struct rs_bytes stored = rs_bytes_of_str(value);
	if (response->set == LATIN && value.size <= sizeof bytes)
		stored = rs_bytes_of(bytes, to_latin(value, bytes));
	else if (value.size > sizeof bytes - 1)
		return; /* cannot be: values of the catalogue are shorter */
	else if (value.size)
		memcpy(bytes, value.data, value.size);
	size_t size = stored.size;
	if (size % 2) /* PS3.5 section 6.2: UIDs are padded by zero, text by space */
		bytes[size++] = strcmp(element->vr, "UI") == 0 ? 0 : ' ';
	rs_dicom_builder_bytes(&response->builder, element->tag, element->vr, rs_bytes_of(bytes, size));
}

static enum rs_code put_element(struct response *response, const struct identifier_element *element,
                                struct rs_error *err)
{
	char text[RS_CATALOGUE_COUNT_SIZE];
	struct rs_str value;
	uint64_t number;
	RS_TRY(value_of(response, element->tag, text, &value, err));
	if (strcmp(element->vr, "US") == 0) {
		if (rs_parse_u64(value, &number) && number <= UINT16_MAX)
			rs_dicom_builder_u16(&response->builder, element->tag, (uint16_t)number);
		else
			rs_dicom_builder_bytes(&response->builder, element->tag, element->vr,
			                       rs_bytes_of("", 0));
		return RS_OK;
	}
	put_text(response, element, value);
	return RS_OK;
}

/* What was asked for, and between it, in the order of tags, what every response has. */
static enum rs_code put_all(struct response *response, struct rs_error *err)
{
	const struct identifier *identifier = &response->finding->identifier;
	const struct {
		uint32_t tag;
		const char *vr, *value;
	} fixed[] = {{CHARACTER_SET, "CS",
	              response->set == LATIN     ? "ISO_IR 100"
	              : response->set == UNICODE ? "ISO_IR 192"
	                                         : NULL},
	             {LEVEL, "CS", rs_level_name(identifier->level)},
	             {RETRIEVE_TITLE, "AE", response->finding->service.title}};
	size_t next = 0;
	for (size_t i = 0; i <= identifier->element_count; i++) {
		uint32_t tag = i < identifier->element_count ? identifier->elements[i].tag : UINT32_MAX;
		for (; next < RS_COUNT(fixed) && fixed[next].tag <= tag; next++)
			if (fixed[next].value && fixed[next].tag != tag)
				rs_dicom_builder_text(&response->builder, fixed[next].tag, fixed[next].vr,
				                      fixed[next].value);
		if (i < identifier->element_count)
			RS_TRY(put_element(response, &identifier->elements[i], err));
	}
	return RS_OK;
}

static enum rs_code encode(void *context, const struct rs_found *found, struct rs_error *err)
{
	struct finding *finding = context;
	struct response response = {.finding = finding, .found = found};
	uint8_t size[4];
	rs_dicom_builder_init(&response.builder,
	                      finding->is_implicit ? RS_DICOM_IMPLICIT_LE : RS_DICOM_EXPLICIT_LE, MATCH_MAX);
	enum rs_code code = choose_set(&response, err);
	if (code == RS_OK)
		code = put_all(&response, err);
	if (code == RS_OK && response.builder.failure.code != RS_OK)
		code = rs_error_set(err, response.builder.failure.code, "%s",
		                    response.builder.failure.message);
	if (code == RS_OK)
		code = rs_buffer_check(&response.builder.body, "a match", err);
	rs_write_be32(size, (uint32_t)response.builder.body.size);
	rs_buffer_append(&finding->page, size, sizeof size);
	rs_buffer_append_bytes(&finding->page, rs_buffer_bytes(&response.builder.body));
	rs_dicom_builder_finish(&response.builder);
	return code == RS_OK ? rs_buffer_check(&finding->page, "matches", err) : code;
}

static enum rs_code find_page(void *context, struct rs_node *node RS_UNUSED, struct rs_error *err)
{
	struct finding *finding = context;
	const struct rs_find find = {
		.actor = finding->service.actor,
		.purpose = finding->purpose,
		.query = {finding->identifier.level, finding->identifier.keys, finding->identifier.key_count},
		.place = &finding->place};
	struct rs_find_counts counts;
	rs_buffer_clear(&finding->page);
	RS_TRY(rs_finder_find(finding->service.finder, &find, encode, finding, &counts, err));
	finding->has_ended = counts.has_ended;
	finding->hidden += counts.hidden;
	return RS_OK;
}

static enum rs_code respond(struct finding *finding, struct rs_association *association, uint16_t status,
                            const char *comment, struct rs_bytes data, struct rs_error *err)
{
	struct rs_command answer;
	rs_command_answer(&finding->request, status, comment, &answer);
	if (data.size)
		answer.data = (uint16_t)(RS_NO_DATA + 1);
	finding->status = status;
	RS_TRY(rs_association_command(association, finding->context, &answer, err));
	return data.size ? rs_association_data(association, finding->context, data, err) : RS_OK;
}

static uint16_t status_of(enum rs_code code)
{
	switch (code) {
	case RS_USAGE: return RS_STATUS_NOT_OF_ITS_CLASS;
	case RS_REFUSED: return RS_STATUS_NOT_AUTHORIZED;
	case RS_TOO_LARGE:
	case RS_NO_MEMORY: return RS_STATUS_OUT_OF_RESOURCES;
	default: return RS_STATUS_NOT_UNDERSTOOD;
	}
}

enum rs_code finding_go_on(struct finding *finding, struct rs_association *association, bool *out_ended,
                           struct rs_error *err)
{
	struct rs_error failure = {0};
	*out_ended = true;
	if (finding->is_cancelled)
		return respond(finding, association, RS_STATUS_CANCELLED, NULL, rs_bytes_of("", 0), err);
	if (finding->has_ended)
		return respond(finding, association, RS_STATUS_SUCCESS, NULL, rs_bytes_of("", 0), err);
	enum rs_code code = rs_intake_run(finding->service.intake, find_page, finding, &failure);
	if (code != RS_OK)
		return respond(finding, association, status_of(code), failure.message, rs_bytes_of("", 0),
		               err);
	for (size_t at = 0; at < finding->page.size;) {
		size_t size = rs_read_be32(finding->page.data + at);
		RS_TRY(respond(finding, association, RS_STATUS_PENDING, NULL,
		               rs_bytes_of(finding->page.data + at + 4, size), err));
		finding->matches++;
		at += 4 + size;
	}
	*out_ended = false;
	return RS_OK;
}
