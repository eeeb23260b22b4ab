/* Reading identifiers. */
#include "identifier.h"

#include <stdlib.h>
#include <string.h>

#define CHARACTER_SET RS_DICOM_TAG(0x0008, 0x0005)
#define LEVEL RS_DICOM_TAG(0x0008, 0x0052)
#define PATIENT_ROOT "1.2.840.10008.5.1.4.1.2.1."
#define ELEMENTS_MAX 1024

void identifier_finish(struct identifier *identifier)
{
	rs_free(identifier->elements);
	rs_buffer_finish(&identifier->text);
}

static enum rs_code read_level(const struct rs_dicom *dicom, const char *sop_class, enum rs_level *out,
                               struct rs_error *err)
{
	struct rs_str level = rs_dicom_text(rs_dicom_find(dicom, NULL, LEVEL), 0);
	if (!rs_level_from_name(level, out))
		return rs_error_set(err, RS_USAGE, "(0008,0052) is no level");
	if (*out == RS_LEVEL_PATIENT && !rs_str_starts_with(rs_str_from(sop_class), PATIENT_ROOT))
		return rs_error_set(err, RS_USAGE, "this information model has no patients");
	return RS_OK;
}

/* As text, parts parted by backslashes; numbers, too. */
static enum rs_code append_value(const struct rs_dicom_charset *charset,
                                 const struct rs_dicom_element *element, struct rs_buffer *out,
                                 struct rs_error *err)
{
	size_t count = rs_dicom_multiplicity(element);
	for (size_t i = 0; i < count; i++) {
		int64_t number;
		if (i > 0)
			rs_buffer_append_u8(out, '\\');
		if (strcmp(element->vr, "US") == 0 && rs_dicom_int(element, i, &number))
			rs_buffer_printf(out, "%lld", (long long)number);
		else
			RS_TRY(rs_dicom_text_utf8(charset, element, i, out, NULL, err));
	}
	return rs_buffer_check(out, "the keys of a query", err);
}

static enum rs_code add_element(struct identifier *out, const struct rs_dicom_charset *charset,
                                const struct rs_dicom_element *element, struct rs_error *err)
{
	struct identifier_element *asked = &out->elements[out->element_count];
	const struct rs_catalogue_attribute *attribute = rs_catalogue_attribute(element->tag);
	*asked = (struct identifier_element){.tag = element->tag};
	memcpy(asked->vr, element->vr, sizeof asked->vr);
	out->element_count++;
	if (!attribute || element->has_children)
		return RS_OK;
	memcpy(asked->vr, attribute->vr, sizeof asked->vr);
	if (out->key_count == RS_CATALOGUE_KEYS_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %d keys", RS_CATALOGUE_KEYS_MAX);
	struct rs_catalogue_key *key = &out->keys[out->key_count++];
	size_t start = out->text.size;
	RS_TRY(append_value(charset, element, &out->text, err));
	*key = (struct rs_catalogue_key){element->tag,
	                                 {(const char *)out->text.data + start, out->text.size - start}};
	return RS_OK;
}

/* Sizes are known before: views into `text` stay good. */
static enum rs_code read_elements(const struct rs_dicom *dicom, size_t size, struct identifier *out,
                                  struct rs_error *err)
{
	struct rs_dicom_charset charset;
	uint32_t last = 0;
	RS_TRY(rs_dicom_charset_of(dicom, NULL, &charset, err));
	out->elements = rs_allocate_array(ELEMENTS_MAX, sizeof *out->elements);
	rs_buffer_init(&out->text, 8 * IDENTIFIER_SIZE_MAX);
	if (!out->elements || rs_buffer_reserve(&out->text, 8 * size + 64) != RS_OK)
		return rs_error_memory(err, 8 * size, "the keys of a query");
	for (size_t i = dicom->meta_count; i < dicom->count; i = dicom->elements[i].next) {
		const struct rs_dicom_element *element = &dicom->elements[i];
		if ((element->tag & 0xFFFF) == 0 || element->tag == CHARACTER_SET || element->tag == LEVEL)
			continue;
		if (element->tag <= last)
			return rs_error_set(err, RS_MALFORMED, "elements are out of order");
		if (out->element_count == ELEMENTS_MAX)
			return rs_error_set(err, RS_TOO_LARGE, "more than %d elements", ELEMENTS_MAX);
		last = element->tag;
		RS_TRY(add_element(out, &charset, element, err));
	}
	return RS_OK;
}

enum rs_code identifier_read(struct rs_bytes data, const char *sop_class, const char *transfer_syntax,
                             struct identifier *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	*out = (struct identifier){.key_count = 0};
	rs_buffer_init(&file, IDENTIFIER_SIZE_MAX + 4096);
	/* The reader takes files: the data set becomes one. */
	RS_TRY(rs_dicom_put_meta(sop_class, "1.2", transfer_syntax, NULL, &file, err));
	rs_buffer_append_bytes(&file, data);
	RS_TRY(rs_buffer_check(&file, "a query", err));
	RS_TRY(rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err));
	RS_TRY(read_level(&dicom, sop_class, &out->level, err));
	struct rs_str set = rs_dicom_text(rs_dicom_find(&dicom, NULL, CHARACTER_SET), 0);
	out->is_latin = rs_str_equal_text(set, "ISO_IR 100");
	return read_elements(&dicom, data.size, out, err);
}
