/* What becomes of values: UIDs and dates made anew with the key, dummies, words that stay, names that do not. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "rewriting.h"

#define TEXT_MAX ((size_t)1 << 20)
#define NAME_MIN 4 /* letters; shorter ones stand in other words' places */

/* ---- what is made with the key ---- */

void keyed(const struct rs_secret *key, const char *what, struct rs_str a, struct rs_str b,
           struct rs_digest *out)
{
	const struct rs_bytes parts[] = {rs_bytes_of(what, strlen(what) + 1), rs_bytes_of_str(a),
	                                 rs_bytes_of("", 1), rs_bytes_of_str(b)};
	rs_hmac_sha256_parts(rs_bytes_of(key->bytes, RS_KEY_SIZE), parts, RS_COUNT(parts), out);
}

void rs_deidentify_pseudonym(const struct rs_secret *key, struct rs_str issuer, struct rs_str patient_id,
                             char out[static RS_DEIDENTIFY_PSEUDONYM_SIZE + 1])
{
	static const char letters[] = "ABCDEFGHJKMNPQRSTVWXYZ0123456789"; /* none that looks like another */
	struct rs_digest digest;
	keyed(key, "radseal deidentify patient", issuer, patient_id, &digest);
	memcpy(out, "RS-", 3);
	for (size_t i = 0; i < 13; i++) /* 65 bits */
		out[3 + i] = letters[digest.bytes[i] % 32];
	out[16] = '\0';
}

void rs_deidentify_uid(const struct rs_secret *key, struct rs_str uid, char out[static 65])
{
	struct rs_digest digest;
	if (rs_str_starts_with(uid, "1.2.840.10008.") && uid.size < 65) {
		memcpy(out, uid.data, uid.size);
		out[uid.size] = '\0';
		return;
	}
	keyed(key, "radseal deidentify uid", uid, rs_str_from(""), &digest);
	rs_dicom_uid_of(digest.bytes, out);
}

/* ---- values ---- */

enum rs_code set_value(struct rewriting *r, struct rs_dicom_element *e, struct rs_bytes value,
                       struct rs_error *err)
{
	size_t size = value.size + (value.size & 1);
	uint8_t *copy = rs_arena_allocate(&r->arena, size ? size : 1);
	if (!copy)
		return rs_error_memory(err, size, "a value");
	if (value.size)
		memcpy(copy, value.data, value.size);
	if (size > value.size)
		copy[value.size] = e->vr[0] == 'U' && e->vr[1] == 'I' ? '\0' : ' ';
	e->value = rs_bytes_of(copy, size);
	e->length = (uint32_t)size;
	return RS_OK;
}

/* Each component by `one`, which appends what becomes of it. */
static enum rs_code set_each(struct rewriting *r, struct rs_dicom_element *e,
                             void (*one)(const struct rewriting *, struct rs_str, struct rs_buffer *),
                             struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	size_t count = rs_dicom_multiplicity(e);
	rs_buffer_init(&text, TEXT_MAX);
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			rs_buffer_append_u8(&text, '\\');
		one(r, rs_dicom_text(e, i), &text);
	}
	RS_TRY(rs_buffer_check(&text, "an attribute", err));
	return set_value(r, e, rs_buffer_bytes(&text), err);
}

static void map_uid(const struct rewriting *r, struct rs_str uid, struct rs_buffer *out)
{
	char mapped[65];
	if (uid.size == 0)
		return;
	rs_deidentify_uid(r->how->key, uid, mapped);
	rs_buffer_append_text(out, mapped);
}

/* Times of day stay; a range, or anything but a date, goes. */
static void shift_date(const struct rewriting *r, struct rs_str text, struct rs_buffer *out)
{
	char date[9] = "00000101", shifted[9] = {0};
	size_t given = text.size < 8 ? text.size : 8;
	memcpy(date, text.data ? text.data : "", given);
	if ((given != 4 && given != 6 && given != 8) || !day_shift(date, r->shift_days, shifted))
		return;
	rs_buffer_append(out, shifted, given);
	rs_buffer_append_str(out, (struct rs_str){text.data + given, text.size - given});
}

static void cap_age(const struct rewriting *r, struct rs_str text, struct rs_buffer *out)
{
	(void)r;
	if (text.size == 4 && text.data[3] == 'Y' && memcmp(text.data, "089", 3) > 0)
		rs_buffer_append_text(out, "090Y");
	else
		rs_buffer_append_str(out, text);
}

static const char *dummy_of(const char *vr)
{
	static const char *const dummies[][2] = {
		{"AS", "000Y"}, {"DA", "19000101"}, {"DS", "0"},          {"DT", "19000101000000"},
		{"IS", "0"},    {"TM", "000000"},   {"UR", "urn:removed"}};
	for (size_t i = 0; i < RS_COUNT(dummies); i++)
		if (strcmp(dummies[i][0], vr) == 0)
			return dummies[i][1];
	return "REMOVED";
}

/* A value stays one, an empty one empty. Numbers and bytes become zero. */
static enum rs_code set_dummy(struct rewriting *r, struct rs_dicom_element *e, const char *vr,
                              struct rs_error *err)
{
	if (e->value.size == 0)
		return RS_OK;
	if (strcmp(vr, "UI") == 0)
		return set_each(r, e, map_uid, err);
	if (strstr("AE AS CS DA DS DT IS LO LT PN SH ST TM UC UR UT", vr))
		return set_value(r, e, rs_bytes_of_str(rs_str_from(dummy_of(vr))), err);
	uint8_t *zeros = rs_arena_allocate(&r->arena, e->value.size);
	if (!zeros)
		return rs_error_memory(err, e->value.size, "a value");
	memset(zeros, 0, e->value.size);
	e->value.data = zeros;
	return RS_OK;
}

static enum rs_code clean_text(struct rewriting *r, struct rs_dicom_element *e, const char *vr,
                               struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	if (!strstr("CS LO LT SH ST UC UT", vr))
		return set_dummy(r, e, vr, err);
	rs_buffer_init(&text, TEXT_MAX);
	words_clean(rs_str_of_bytes(e->value), &text);
	RS_TRY(rs_buffer_check(&text, "a text", err));
	return set_value(r, e, rs_buffer_bytes(&text), err);
}

/* ---- names that stand where they do not belong ---- */

/* Family name, given name and PatientID, where they are long enough to mean somebody. */
enum rs_code names_note(struct rewriting *r, struct rs_error *err)
{
	struct rs_str id = rs_dicom_text(rs_dicom_find(r->in, NULL, RS_DICOM_TAG(0x0010, 0x0020)), 0),
		      name = rs_dicom_text(rs_dicom_find(r->in, NULL, RS_DICOM_TAG(0x0010, 0x0010)), 0), part;
	rs_buffer_init(&r->names, TEXT_MAX);
	if (id.size >= NAME_MIN) {
		rs_buffer_append_str(&r->names, id);
		rs_buffer_append_u8(&r->names, 0);
	}
	while (rs_str_split(&name, '^', &part))
		if (rs_str_trim(part).size >= NAME_MIN) {
			rs_buffer_append_str(&r->names, rs_str_trim(part));
			rs_buffer_append_u8(&r->names, 0);
		}
	return rs_buffer_check(&r->names, "a patient's names", err);
}

static bool starts_with_name(struct rs_str text, struct rs_str name)
{
	return text.size >= name.size &&
	       rs_str_equal_ignoring_case((struct rs_str){text.data, name.size}, name);
}

/* The size of a name that stands here, as a whole word. */
static size_t name_at(const struct rewriting *r, struct rs_str text, size_t at)
{
	struct rs_str names = rs_buffer_str(&r->names), name;
	if (at > 0 && isalnum((unsigned char)text.data[at - 1]))
		return 0;
	while (rs_str_split(&names, '\0', &name)) {
		size_t end = at + name.size;
		if (name.size && starts_with_name((struct rs_str){text.data + at, text.size - at}, name) &&
		    (end == text.size || !isalnum((unsigned char)text.data[end])))
			return name.size;
	}
	return 0;
}

/* An attribute that may stay, with the patient's name or number in it: that is cut out. */
static enum rs_code cut_names(struct rewriting *r, struct rs_dicom_element *e, const char *vr,
                              bool *out_changed, struct rs_error *err)
{
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_str value = rs_str_of_bytes(e->value);
	size_t from = 0;
	if (!strstr("LO LT PN SH ST UC UT", vr) || r->names.size == 0)
		return RS_OK;
	rs_buffer_init(&text, TEXT_MAX);
	for (size_t i = 0; i < value.size;) {
		size_t size = name_at(r, value, i);
		if (size > 0) {
			rs_buffer_append(&text, value.data + from, i - from);
			from = i + size;
			*out_changed = true;
		}
		i += size ? size : 1;
	}
	if (!*out_changed)
		return RS_OK;
	rs_buffer_append(&text, value.data + from, value.size - from);
	RS_TRY(rs_buffer_check(&text, "a text", err));
	return set_value(r, e, rs_buffer_bytes(&text), err);
}

enum rs_code treat_value(struct rewriting *r, struct rs_dicom_element *e, const char *vr,
                         enum treatment treatment, bool *out_changed, struct rs_error *err)
{
	*out_changed = treatment != TREAT_KEEP;
	switch (treatment) {
	case TREAT_KEEP: return cut_names(r, e, vr, out_changed, err);
	case TREAT_REMOVE: return RS_OK;
	case TREAT_EMPTY: return set_value(r, e, rs_bytes_of("", 0), err);
	case TREAT_DUMMY: return set_dummy(r, e, vr, err);
	case TREAT_UID: return set_each(r, e, map_uid, err);
	case TREAT_SHIFT: return set_each(r, e, shift_date, err);
	case TREAT_CLEAN: return clean_text(r, e, vr, err);
	case TREAT_AGE: return set_each(r, e, cap_age, err);
	case TREAT_PSEUDONYM:
		return set_value(r, e, rs_bytes_of_str(rs_str_from(e->value.size ? r->pseudonym : "")), err);
	}
	return RS_INTERNAL;
}
