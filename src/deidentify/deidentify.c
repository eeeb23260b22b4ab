/* A data set, element by element, into another one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rewriting.h"

#define KEPT_MAX ((size_t)1 << 30)
#define TEXT_MAX ((size_t)1 << 20)
#define PATH_SIZE 256
#define SHIFT_DAYS_MAX 3650
#define META_LENGTH RS_DICOM_TAG(0x0002, 0x0000)
#define META_SYNTAX RS_DICOM_TAG(0x0002, 0x0010)
#define DEIDENTIFIED RS_DICOM_TAG(0x0012, 0x0062)
#define METHOD RS_DICOM_TAG(0x0012, 0x0063)
#define METHOD_CODES RS_DICOM_TAG(0x0012, 0x0064)
#define TEMPORAL RS_DICOM_TAG(0x0028, 0x0303)

/* ---- elements ---- */

static enum rs_code push(struct rewriting *r, const struct rs_dicom_element *element, size_t *out_at,
                         struct rs_error *err)
{
	if (r->count == r->capacity) {
		size_t capacity = r->capacity ? 2 * r->capacity : 256, size;
		struct rs_dicom_element *grown = rs_mul_size(capacity, sizeof *grown, &size)
		                                         ? rs_reallocate(r->elements, size)
		                                         : NULL;
		if (!grown)
			return rs_error_memory(err, capacity, "elements");
		r->elements = grown;
		r->capacity = capacity;
	}
	*out_at = r->count;
	r->elements[r->count++] = *element;
	return RS_OK;
}

/* Where an element is, as a text: tags and places of items from the top. */
static size_t format_path(const struct rs_dicom *in, const struct rs_dicom_element *e, char *out, size_t size)
{
	size_t at = 0;
	out[0] = '\0';
	if (e->parent != RS_DICOM_NONE)
		at = format_path(in, &in->elements[e->parent], out, size);
	if (at + 16 >= size)
		return at;
	if (e->tag != RS_DICOM_ITEM)
		return at + (size_t)snprintf(out + at, size - at, "%s(%04X,%04X)", at ? "." : "",
		                             e->tag >> 16, e->tag & 0xFFFF);
	size_t place = 0;
	const struct rs_dicom_element *sequence = &in->elements[e->parent];
	while (rs_dicom_item(in, sequence, place) != e)
		place++;
	return at + (size_t)snprintf(out + at, size - at, "[%zu]", place + 1);
}

static void tell(const struct rewriting *r, enum rs_deidentify_act act, const struct rs_dicom_element *e)
{
	char path[PATH_SIZE];
	if (!r->how->visit)
		return;
	(void)format_path(r->in, e, path, sizeof path);
	r->how->visit(r->how->context, act, path);
}

static enum rs_deidentify_act act_of(enum treatment treatment)
{
	static const enum rs_deidentify_act acts[] = {
		[TREAT_REMOVE] = RS_DEIDENTIFY_REMOVED, [TREAT_EMPTY] = RS_DEIDENTIFY_EMPTIED,
		[TREAT_DUMMY] = RS_DEIDENTIFY_REPLACED, [TREAT_UID] = RS_DEIDENTIFY_REMAPPED,
		[TREAT_SHIFT] = RS_DEIDENTIFY_SHIFTED,  [TREAT_CLEAN] = RS_DEIDENTIFY_CLEANED,
		[TREAT_AGE] = RS_DEIDENTIFY_CLEANED,    [TREAT_PSEUDONYM] = RS_DEIDENTIFY_REPLACED,
	};
	return acts[treatment];
}

static enum rs_code rewrite(struct rewriting *r, size_t from, size_t to, enum inside inside,
                            struct rs_error *err);

/* Bits of pixels, fragments or not: as they are. */
static enum rs_code copy_whole(struct rewriting *r, size_t index, struct rs_error *err)
{
	size_t at, first = r->count;
	for (size_t i = index; i < r->in->elements[index].next; i++) {
		struct rs_dicom_element copy = r->in->elements[i];
		copy.next = (uint32_t)(first + (copy.next - index));
		RS_TRY(push(r, &copy, &at, err));
	}
	return RS_OK;
}

static enum rs_code rewrite_inner(struct rewriting *r, size_t index, enum inside inside, struct rs_error *err)
{
	struct rs_dicom_element copy = r->in->elements[index];
	size_t at;
	copy.length = RS_DICOM_UNDEFINED;
	RS_TRY(push(r, &copy, &at, err));
	RS_TRY(rewrite(r, index + 1, r->in->elements[index].next, inside, err));
	r->elements[at].next = (uint32_t)r->count;
	return RS_OK;
}

static enum rs_code rewrite_one(struct rewriting *r, size_t index, enum inside inside, struct rs_error *err)
{
	const struct rs_dicom_element *e = &r->in->elements[index];
	const struct rs_dicom_entry *entry = rs_dicom_lookup(e->tag);
	const char *vr = strcmp(e->vr, "UN") == 0 && entry ? entry->vr : e->vr;
	if (e->tag == RS_DICOM_ITEM)
		return rewrite_inner(r, index, inside, err);
	if (e->tag >> 16 == 0x7FE0 && (e->tag & 0xFFFF) >= 8)
		return copy_whole(r, index, err);
	enum treatment treatment = treatment_of(r->in, e, vr, r->how->options, inside);
	bool goes_in = e->has_children && treatment != TREAT_REMOVE && treatment != TREAT_EMPTY;
	if (treatment != TREAT_KEEP)
		tell(r, act_of(treatment), e);
	if (treatment == TREAT_REMOVE)
		return RS_OK;
	if (goes_in)
		return rewrite_inner(r, index, treatment == TREAT_KEEP ? inside : inside_of(treatment), err);
	struct rs_dicom_element copy = *e;
	size_t at;
	bool changed;
	copy.has_children = false;
	RS_TRY(treat_value(r, &copy, vr, treatment, &changed, err));
	if (changed && treatment == TREAT_KEEP)
		tell(r, RS_DEIDENTIFY_CLEANED, e);
	if (copy.length == RS_DICOM_UNDEFINED)
		copy.length = (uint32_t)copy.value.size;
	RS_TRY(push(r, &copy, &at, err));
	r->elements[at].next = (uint32_t)r->count;
	return RS_OK;
}

static enum rs_code rewrite(struct rewriting *r, size_t from, size_t to, enum inside inside,
                            struct rs_error *err)
{
	for (size_t i = from; i < to; i = r->in->elements[i].next)
		RS_TRY(rewrite_one(r, i, inside, err));
	return RS_OK;
}

/* ---- what says that it was done (PS3.15 E.1.1) ---- */

static enum rs_code add(struct rewriting *r, uint32_t tag, const char *vr, const char *text,
                        struct rs_error *err)
{
	struct rs_dicom_element e = {
		.tag = tag, .encoding = r->encoding, .parent = RS_DICOM_NONE, .length = RS_DICOM_UNDEFINED};
	size_t at;
	memcpy(e.vr, vr, strlen(vr) + 1);
	e.has_children = !text;
	if (text)
		RS_TRY(set_value(r, &e, rs_bytes_of_str(rs_str_from(text)), err));
	RS_TRY(push(r, &e, &at, err));
	r->elements[at].next = (uint32_t)r->count;
	return RS_OK;
}

static const struct {
	unsigned option;
	const char *code, *meaning;
} methods[] = {
	{0, "113100", "Basic Application Confidentiality Profile"},
	{RS_DEIDENTIFY_GRAPHICS, "113103", "Clean Graphics Option"},
	{RS_DEIDENTIFY_STRUCTURED, "113104", "Clean Structured Content Option"},
	{RS_DEIDENTIFY_DESCRIPTORS, "113105", "Clean Descriptors Option"},
	{RS_DEIDENTIFY_FULL_DATES, "113106", "Retain Longitudinal Temporal Information Full Dates Option"},
	{RS_DEIDENTIFY_SHIFTED_DATES, "113107",
         "Retain Longitudinal Temporal Information Modified Dates Option"},
	{RS_DEIDENTIFY_PATIENT, "113108", "Retain Patient Characteristics Option"},
	{RS_DEIDENTIFY_DEVICE, "113109", "Retain Device Identity Option"},
	{RS_DEIDENTIFY_UIDS, "113110", "Retain UIDs Option"},
	{RS_DEIDENTIFY_PRIVATE, "113111", "Retain Safe Private Option"},
	{RS_DEIDENTIFY_INSTITUTION, "113112", "Retain Institution Identity Option"},
};

static enum rs_code add_methods(struct rewriting *r, struct rs_error *err)
{
	size_t sequence = r->count;
	RS_TRY(add(r, METHOD_CODES, "SQ", NULL, err));
	for (size_t i = 0; i < RS_COUNT(methods); i++) {
		if (methods[i].option && !(methods[i].option & r->how->options))
			continue;
		size_t item = r->count;
		RS_TRY(add(r, RS_DICOM_ITEM, "", NULL, err));
		RS_TRY(add(r, RS_DICOM_TAG(0x0008, 0x0100), "SH", methods[i].code, err));
		RS_TRY(add(r, RS_DICOM_TAG(0x0008, 0x0102), "SH", "DCM", err));
		RS_TRY(add(r, RS_DICOM_TAG(0x0008, 0x0104), "LO", methods[i].meaning, err));
		r->elements[item].next = (uint32_t)r->count;
	}
	r->elements[sequence].next = (uint32_t)r->count;
	return RS_OK;
}

static enum rs_code add_statement(struct rewriting *r, uint32_t tag, struct rs_error *err)
{
	const struct rs_dicom_element added = {.tag = tag, .parent = RS_DICOM_NONE};
	tell(r, RS_DEIDENTIFY_ADDED, &added);
	switch (tag) {
	case DEIDENTIFIED: return add(r, tag, "CS", "YES", err);
	case METHOD: return add(r, tag, "LO", "radseal, PS3.15 2025a Table E.1-1", err);
	case METHOD_CODES: return add_methods(r, err);
	default:
		return add(r, tag, "CS",
		           r->how->options & RS_DEIDENTIFY_FULL_DATES      ? "UNMODIFIED"
		           : r->how->options & RS_DEIDENTIFY_SHIFTED_DATES ? "MODIFIED"
		                                                           : "REMOVED",
		           err);
	}
}

static enum rs_code rewrite_data_set(struct rewriting *r, struct rs_error *err)
{
	static const uint32_t statements[] = {DEIDENTIFIED, METHOD, METHOD_CODES, TEMPORAL};
	const struct rs_dicom *in = r->in;
	size_t next = 0;
	for (size_t i = in->meta_count; i < in->count; i = in->elements[i].next) {
		uint32_t tag = in->elements[i].tag;
		while (next < RS_COUNT(statements) && statements[next] <= tag)
			RS_TRY(add_statement(r, statements[next++], err));
		if (next == 0 || statements[next - 1] != tag)
			RS_TRY(rewrite_one(r, i, INSIDE_PLAIN, err));
	}
	while (next < RS_COUNT(statements))
		RS_TRY(add_statement(r, statements[next++], err));
	return RS_OK;
}

/* Class, instance, syntax and who wrote the file stay; who sent it to whom does not. */
static enum rs_code rewrite_meta(struct rewriting *r, struct rs_error *err)
{
	struct rs_buffer whole RS_CLEANUP(rs_buffer_finish) = {0};
	size_t at;
	bool changed;
	for (size_t i = 0; i < r->in->meta_count; i = r->in->elements[i].next) {
		struct rs_dicom_element e = r->in->elements[i];
		if (e.has_children || (e.tag & 0xFFFF) > 0x0013)
			continue;
		if (e.tag == RS_DICOM_TAG(0x0002, 0x0003) && !(r->how->options & RS_DEIDENTIFY_UIDS))
			RS_TRY(treat_value(r, &e, "UI", TREAT_UID, &changed, err));
		if (e.tag == META_SYNTAX && r->in->encoding == RS_DICOM_DEFLATED_LE)
			RS_TRY(set_value(r, &e, rs_bytes_of_str(rs_str_from("1.2.840.10008.1.2.1")), err));
		e.next = (uint32_t)r->count + 1;
		RS_TRY(push(r, &e, &at, err));
	}
	if (r->count == 0 || r->elements[0].tag != META_LENGTH || r->elements[0].value.size != 4)
		return RS_OK;
	const struct rs_dicom meta = {.elements = r->elements,
	                              .count = r->count,
	                              .meta_count = r->count,
	                              .encoding = RS_DICOM_EXPLICIT_LE};
	uint8_t length[4];
	rs_buffer_init(&whole, TEXT_MAX);
	RS_TRY(rs_dicom_write(&meta, &whole, err));
	rs_write_le32(length, (uint32_t)whole.size - 12);
	return set_value(r, &r->elements[0], rs_bytes_of(length, sizeof length), err);
}

/* ---- the whole ---- */

/* Objects whose pixels or documents may name somebody, as long as nobody says that they do not. */
static enum rs_code check_pixels(const struct rs_dicom *in, struct rs_error *err)
{
	static const char *const risky[] = {"DOC", "ES", "GM", "OP", "OT", "SC", "US", "XC"};
	static const char capture[] = "1.2.840.10008.5.1.4.1.1.7",
			  document[] = "1.2.840.10008.5.1.4.1.1.104.";
	struct rs_str said = rs_dicom_text(rs_dicom_find(in, NULL, RS_DICOM_TAG(0x0028, 0x0301)), 0),
		      modality = rs_dicom_text(rs_dicom_find(in, NULL, RS_DICOM_TAG(0x0008, 0x0060)), 0),
		      class = rs_dicom_text(rs_dicom_find(in, NULL, RS_DICOM_TAG(0x0008, 0x0016)), 0);
	bool has_pixels = rs_dicom_find(in, NULL, RS_DICOM_PIXEL_DATA) != NULL;
	bool may_have = rs_str_starts_with(class, capture);
	for (size_t i = 0; i < RS_COUNT(risky); i++)
		may_have |= rs_str_equal_text(modality, risky[i]);
	if (rs_str_starts_with(class, document) || rs_dicom_find(in, NULL, RS_DICOM_TAG(0x0042, 0x0011)))
		return rs_error_set(err, RS_REFUSED,
		                    "a document is encapsulated; what it says cannot be cleaned");
	if (!has_pixels || rs_str_equal_text(said, "NO"))
		return RS_OK;
	if (rs_str_equal_text(said, "YES"))
		return rs_error_set(err, RS_REFUSED, "BurnedInAnnotation says that the pixels hold text");
	return may_have ? rs_error_set(
				  err, RS_REFUSED,
				  "its pixels may hold text (%.*s), and BurnedInAnnotation does not deny it",
				  modality.size > 16 ? 16 : (int)modality.size, modality.data)
	                : RS_OK;
}

static enum rs_code check_options(const struct rs_deidentification *how, struct rs_error *err)
{
	const unsigned both = RS_DEIDENTIFY_FULL_DATES | RS_DEIDENTIFY_SHIFTED_DATES;
	size_t size = how->pseudonym ? strlen(how->pseudonym) : 1;
	if ((how->options & both) == both)
		return rs_error_set(err, RS_USAGE, "dates are kept or shifted, not both");
	if (size == 0 || size > RS_DEIDENTIFY_PSEUDONYM_SIZE ||
	    (how->pseudonym && strpbrk(how->pseudonym, "\\^=")))
		return rs_error_set(err, RS_USAGE, "a pseudonym has 1 to %d characters, none of \\ ^ =",
		                    RS_DEIDENTIFY_PSEUDONYM_SIZE);
	return RS_OK;
}

static void name_uid(const struct rewriting *r, uint32_t tag, char out[static 65])
{
	struct rs_str uid = rs_dicom_text(rs_dicom_find(r->in, NULL, tag), 0);
	if (uid.size == 0 || uid.size > 64)
		return;
	if (r->how->options & RS_DEIDENTIFY_UIDS)
		memcpy(out, uid.data, uid.size);
	else
		rs_deidentify_uid(r->how->key, uid, out);
}

static void name_object(struct rewriting *r, struct rs_deidentified *out)
{
	struct rs_str patient = rs_dicom_text(rs_dicom_find(r->in, NULL, RS_DICOM_TAG(0x0010, 0x0020)), 0),
		      issuer = rs_dicom_text(rs_dicom_find(r->in, NULL, RS_DICOM_TAG(0x0010, 0x0021)), 0);
	struct rs_digest digest;
	*out = (struct rs_deidentified){{0}, {0}, {0}, {0}};
	if (r->how->pseudonym)
		memcpy(out->pseudonym, r->how->pseudonym, strlen(r->how->pseudonym));
	else
		rs_deidentify_pseudonym(r->how->key, issuer, patient, out->pseudonym);
	keyed(r->how->key, "radseal deidentify days", issuer, patient, &digest);
	r->shift_days = 1 + rs_read_le32(digest.bytes) % SHIFT_DAYS_MAX;
	r->pseudonym = out->pseudonym;
	name_uid(r, RS_DICOM_TAG(0x0020, 0x000D), out->study_instance_uid);
	name_uid(r, RS_DICOM_TAG(0x0020, 0x000E), out->series_instance_uid);
	name_uid(r, RS_DICOM_TAG(0x0008, 0x0018), out->sop_instance_uid);
}

static enum rs_code rewrite_all(struct rewriting *r, struct rs_buffer *out, struct rs_error *err)
{
	static const uint8_t preamble[128] = {0}; /* another file may hide in one */
	RS_TRY(rewrite_meta(r, err));
	struct rs_dicom done = {.meta_count = r->count, .encoding = (enum rs_dicom_encoding)r->encoding};
	RS_TRY(rewrite_data_set(r, err));
	done.elements = r->elements;
	done.count = r->count;
	if (r->in->preamble.size)
		done.preamble = rs_bytes_of(preamble, sizeof preamble);
	return rs_dicom_write(&done, out, err);
}

enum rs_code rs_deidentify(const struct rs_dicom *dicom, const struct rs_deidentification *how,
                           struct rs_buffer *out, struct rs_deidentified *out_names, struct rs_error *err)
{
	struct rewriting rewriting = {.in = dicom, .how = how};
	struct rs_deidentified names;
	RS_TRY(check_options(how, err));
	if (!how->pixels_are_clean)
		RS_TRY(check_pixels(dicom, err));
	rewriting.encoding = (uint8_t)(dicom->encoding == RS_DICOM_DEFLATED_LE ? RS_DICOM_EXPLICIT_LE
	                                                                       : dicom->encoding);
	rs_arena_init(&rewriting.arena, KEPT_MAX);
	name_object(&rewriting, &names);
	enum rs_code code = names_note(&rewriting, err);
	if (code == RS_OK)
		code = rewrite_all(&rewriting, out, err);
	rs_buffer_finish(&rewriting.names);
	rs_free(rewriting.elements);
	rs_arena_finish(&rewriting.arena);
	if (code == RS_OK)
		*out_names = names;
	return code;
}

const char *rs_deidentify_act_name(enum rs_deidentify_act act)
{
	static const char *const names[] = {"removed", "emptied", "replaced", "remapped",
	                                    "shifted", "cleaned", "added"};
	return names[act];
}
