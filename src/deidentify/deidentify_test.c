/* De-identification against PS3.15 Table E.1-1, read by hand for the attributes below; and nothing planted comes out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "profile.h"

static const struct rs_secret key = {{7, 1, 9}};
#define SECRET "Winterbottom"
#define UID "1.2.826.0.1.77"
#define DATE "20210315"

/* What must come out, by options: the column of the table. "=" as it was, "-" gone, "0" empty, "D" another text, "U" another
 * UID, "S" another date, else the text itself. NULL in a column: as in the first. */
static const struct {
	uint32_t tag;
	const char *vr, *value, *basic;
	unsigned option;
	const char *with_option;
	const char *shifted; /* with RS_DEIDENTIFY_SHIFTED_DATES; NULL: as basic */
} rows[] = {
	{0x00080005, "CS", "ISO_IR 100", "=", 0, NULL, NULL},
	{0x00080008, "CS", "ORIGINAL\\PRIMARY", "=", 0, NULL, NULL},
	{0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.4", "=", 0, NULL, NULL},
	{0x00080018, "UI", UID ".1", "U", RS_DEIDENTIFY_UIDS, "=", NULL},
	{0x00080020, "DA", DATE, "0", RS_DEIDENTIFY_FULL_DATES, "=", "S"},
	{0x00080021, "DA", DATE, "D", RS_DEIDENTIFY_FULL_DATES, "=", "S"}, /* X/D */
	{0x0008002A, "DT", DATE "120000.5", "D", RS_DEIDENTIFY_FULL_DATES, "=", "S"},
	{0x00080030, "TM", "101112", "0", RS_DEIDENTIFY_FULL_DATES, "=", "="},
	{0x00080050, "SH", SECRET, "0", 0, NULL, NULL},
	{0x00080060, "CS", "MR", "=", 0, NULL, NULL},
	{0x00080070, "LO", "Acme", "=", 0, NULL, NULL},
	{0x00080080, "LO", "Elmside", "D", RS_DEIDENTIFY_INSTITUTION, "=", NULL},
	{0x00080081, "ST", "Elmside", "-", RS_DEIDENTIFY_INSTITUTION, "=", NULL},
	{0x00080090, "PN", SECRET, "0", RS_DEIDENTIFY_INSTITUTION, "0", NULL},
	{0x00081010, "SH", "Elmside", "D", RS_DEIDENTIFY_DEVICE, "=", NULL},
	{0x00081030, "LO", "MRI ABDOMEN " SECRET " 555-0199", "-", RS_DEIDENTIFY_DESCRIPTORS, "MRI ABDOMEN",
         NULL},
	{0x0008103E, "LO", "t2_tse_tra 5mm b1000", "-", RS_DEIDENTIFY_DESCRIPTORS, "t2_tse_tra 5mm b1000",
         NULL},
	{0x00081048, "PN", SECRET, "-", 0, NULL, NULL},
	{0x00081070, "PN", SECRET, "D", 0, NULL, NULL}, /* X/Z/D */
	{0x00100010, "PN", SECRET "^Ada", "P", 0, NULL, NULL},
	{0x00100020, "LO", SECRET "-1", "P", 0, NULL, NULL},
	{0x00100021, "LO", SECRET, "-", 0, NULL, NULL},
	{0x00100030, "DA", DATE, "0", 0, NULL, "0"}, /* no option keeps a birthday */
	{0x00100040, "CS", "F", "0", RS_DEIDENTIFY_PATIENT, "=", NULL},
	{0x00101000, "LO", SECRET, "-", 0, NULL, NULL},
	{0x00101010, "AS", "093Y", "-", RS_DEIDENTIFY_PATIENT, "090Y", NULL},
	{0x00101030, "DS", "81.5", "-", RS_DEIDENTIFY_PATIENT, "=", NULL},
	{0x00101040, "LO", SECRET " road 4", "-", RS_DEIDENTIFY_PATIENT, "-", NULL},
	{0x00104000, "LT", "call " SECRET " 030 12345, liver lesion", "-", RS_DEIDENTIFY_DESCRIPTORS,
         "liver lesion", NULL},
	{0x00180015, "CS", "ABDOMEN", "=", 0, NULL, NULL},
	{0x00180024, "SH", SECRET "-1 tse", "tse", 0, NULL, NULL},
	{0x00180050, "DS", "5.0", "=", 0, NULL, NULL},
	{0x00181000, "LO", "Elmside", "D", RS_DEIDENTIFY_DEVICE, "=", NULL},
	{0x00181030, "LO", "Liver " SECRET, "D", RS_DEIDENTIFY_DESCRIPTORS, "Liver", NULL},
	{0x0020000D, "UI", UID ".2", "U", RS_DEIDENTIFY_UIDS, "=", NULL},
	{0x0020000E, "UI", UID ".3", "U", RS_DEIDENTIFY_UIDS, "=", NULL},
	{0x00200010, "SH", SECRET, "0", 0, NULL, NULL},
	{0x00200052, "UI", UID ".4", "U", RS_DEIDENTIFY_UIDS, "=", NULL},
	{0x00204000, "LT", SECRET, "-", RS_DEIDENTIFY_DESCRIPTORS, "0", NULL},
	{0x00280301, "CS", "NO", "=", 0, NULL, NULL},
	{0x00321032, "PN", SECRET, "-", 0, NULL, NULL},
	{0x00380010, "LO", SECRET, "-", 0, NULL, NULL},
	{0x00400244, "DA", DATE, "-", RS_DEIDENTIFY_FULL_DATES, "=", "S"},
	{0x20300020, "LO", SECRET, "-", 0, NULL, NULL},
	{0x40080114, "PN", SECRET, "-", 0, NULL, NULL},
};

static void add_sequences(struct rs_dicom_builder *b, uint32_t before)
{
	if (before == 0x00100010) {
		rs_dicom_builder_begin(b, 0x00081140);
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		rs_dicom_builder_text(b, 0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.4");
		rs_dicom_builder_text(b, 0x00081155, "UI", UID ".1");
		rs_dicom_builder_text(b, 0x00090010, "LO", SECRET);
		rs_dicom_builder_end(b);
		rs_dicom_builder_end(b);
	} else if (before == 0x00180015) {
		rs_dicom_builder_text(b, 0x00110010, "LO", SECRET);
		rs_dicom_builder_text(b, 0x00111001, "LO", SECRET);
		rs_dicom_builder_text(b, 0x00120063, "LO", SECRET);
	} else if (before == 0x0020000D) {
		rs_dicom_builder_text(b, 0x00190010, "LO", "SIEMENS MR HEADER");
		rs_dicom_builder_text(b, 0x0019100B, "LO", SECRET);
		rs_dicom_builder_text(b, 0x0019100C, "IS", "800");
		rs_dicom_builder_text(b, 0x001AFFF0, "LO", SECRET); /* in no dictionary */
	} else if (before == 0x20300020) {
		rs_dicom_builder_begin(b, 0x0040A730);
		rs_dicom_builder_begin(b, RS_DICOM_ITEM);
		rs_dicom_builder_text(b, 0x0040A123, "PN", SECRET);
		rs_dicom_builder_text(b, 0x0040A160, "UT", "mass in left lung of " SECRET);
		rs_dicom_builder_end(b);
		rs_dicom_builder_end(b);
	}
}

static void make(enum rs_dicom_encoding encoding, const char *burned_in, struct rs_buffer *out)
{
	static const uint16_t pixels[4] = {1, 2, 3, 4};
	struct rs_dicom_builder builder RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_error err = {0};
	rs_buffer_init(out, (size_t)1 << 20);
	rs_dicom_builder_init(&builder, encoding, (size_t)1 << 20);
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		add_sequences(&builder, rows[i].tag);
		rs_dicom_builder_text(&builder, rows[i].tag, rows[i].vr,
		                      rows[i].tag == 0x00280301 ? burned_in : rows[i].value);
	}
	rs_dicom_builder_text(&builder, 0x50003000, "OW", SECRET);
	rs_dicom_builder_text(&builder, 0x60023000, "OW", SECRET);
	rs_dicom_builder_text(&builder, 0x60024000, "LT", SECRET);
	rs_dicom_builder_words(&builder, RS_DICOM_PIXEL_DATA, "OW", pixels, RS_COUNT(pixels));
	assert_int_equal(rs_dicom_builder_file(&builder, "1.2.840.10008.5.1.4.1.1.4", UID ".1", out, &err),
	                 RS_OK);
}

struct done {
	struct rs_buffer before, after;
	struct rs_dicom dicom;
	struct rs_deidentified names;
};

static void count_acts(void *context, enum rs_deidentify_act act, const char *path)
{
	size_t *counts = context;
	assert_non_null(strchr(path, '('));
	assert_null(strstr(path, SECRET));
	counts[act]++;
}

static enum rs_code deidentify(enum rs_dicom_encoding encoding, unsigned options, const char *burned_in,
                               struct done *out)
{
	size_t counts[RS_DEIDENTIFY_ADDED + 1] = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_error err = {0};
	const struct rs_deidentification how = {
		.key = &key, .options = options, .visit = count_acts, .context = counts};
	make(encoding, burned_in, &out->before);
	rs_buffer_init(&out->after, (size_t)1 << 20);
	assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&out->before), &dicom, &err), RS_OK);
	RS_TRY(rs_deidentify(&dicom, &how, &out->after, &out->names, &err));
	assert_int_equal(rs_dicom_parse(rs_buffer_bytes(&out->after), &out->dicom, &err), RS_OK);
	assert_int_equal(out->dicom.warnings, 0);
	assert_true(counts[RS_DEIDENTIFY_REMOVED] > 5);
	assert_int_equal(counts[RS_DEIDENTIFY_ADDED], 4);
	return RS_OK;
}

static void done_finish(struct done *done)
{
	rs_dicom_finish(&done->dicom);
	rs_buffer_finish(&done->before);
	rs_buffer_finish(&done->after);
}

static bool differs(const char *value, struct rs_str now)
{
	return now.size && !rs_str_equal_text(now, value);
}

static bool is_as_wanted(const char *wanted, size_t i, const struct rs_dicom_element *e,
                         const struct done *done)
{
	char uid[65];
	struct rs_str now = rs_dicom_text(e, 0), value = rs_str_from(rows[i].value);
	switch (wanted[1] ? 0 : wanted[0]) {
	case '-': return e == NULL;
	case '0': return e && e->value.size == 0;
	case '=':
		return e && memcmp(e->value.data, value.data, value.size) == 0 &&
		       e->value.size - value.size <= 1;
	case 'D': return differs(rows[i].value, now);
	case 'P': return rs_str_equal_text(now, done->names.pseudonym);
	case 'S':
		return differs(rows[i].value, now) && now.size == value.size && now.data[0] != ' ' &&
		       memcmp(now.data, "20", 2) == 0 &&
		       memcmp(now.data + 8, value.data + 8, now.size - 8) == 0;
	case 'U':
		rs_deidentify_uid(&key, value, uid);
		return rs_str_equal_text(now, uid) && rs_str_starts_with(now, "2.25.");
	default: return rs_str_equal_text(now, wanted);
	}
}

static void check_rows(unsigned options, const struct done *done)
{
	for (size_t i = 0; i < RS_COUNT(rows); i++) {
		bool by_option = rows[i].option & options;
		bool shifted = (options & RS_DEIDENTIFY_SHIFTED_DATES) && rows[i].shifted;
		const char *wanted = by_option ? rows[i].with_option
		                     : shifted ? rows[i].shifted
		                               : rows[i].basic;
		const struct rs_dicom_element *e = rs_dicom_find(&done->dicom, NULL, rows[i].tag);
		if (!is_as_wanted(wanted, i, e, done))
			fail_msg("(%08X) with options %u: wanted %s, found %.*s", rows[i].tag, options,
			         wanted, e ? (int)e->value.size : 4,
			         e ? (const char *)e->value.data : "none");
	}
}

static bool holds(const struct rs_buffer *buffer, const char *text)
{
	for (size_t i = 0; i + strlen(text) <= buffer->size; i++)
		if (memcmp(buffer->data + i, text, strlen(text)) == 0)
			return true;
	return false;
}

static const unsigned every_option[] = {0,
                                        RS_DEIDENTIFY_PRIVATE,
                                        RS_DEIDENTIFY_UIDS,
                                        RS_DEIDENTIFY_DEVICE,
                                        RS_DEIDENTIFY_INSTITUTION,
                                        RS_DEIDENTIFY_PATIENT,
                                        RS_DEIDENTIFY_FULL_DATES,
                                        RS_DEIDENTIFY_SHIFTED_DATES,
                                        RS_DEIDENTIFY_DESCRIPTORS,
                                        RS_DEIDENTIFY_STRUCTURED,
                                        RS_DEIDENTIFY_GRAPHICS};

static void attributes_become_what_the_table_says(void **state)
{
	static const enum rs_dicom_encoding encodings[] = {RS_DICOM_IMPLICIT_LE, RS_DICOM_EXPLICIT_LE,
	                                                   RS_DICOM_EXPLICIT_BE, RS_DICOM_DEFLATED_LE};
	(void)state;
	for (size_t o = 0; o < RS_COUNT(every_option); o++)
		for (size_t c = 0; c < RS_COUNT(encodings); c++) {
			unsigned options = every_option[o];
			struct done done RS_CLEANUP(done_finish) = {.names = {.pseudonym = ""}};
			assert_int_equal(deidentify(encodings[c], options, "NO", &done), RS_OK);
			check_rows(options, &done);
			assert_false(holds(&done.after, SECRET));
			assert_int_equal(holds(&done.after, "Elmside"),
			                 (options & (RS_DEIDENTIFY_DEVICE | RS_DEIDENTIFY_INSTITUTION)) != 0);
			assert_int_equal(holds(&done.after, UID), options == RS_DEIDENTIFY_UIDS);
			assert_int_equal(holds(&done.after, "SIEMENS MR HEADER"),
			                 options == RS_DEIDENTIFY_PRIVATE);
		}
}

static void sequences_are_gone_into(void **state)
{
	(void)state;
	struct done done RS_CLEANUP(done_finish) = {.names = {.pseudonym = ""}};
	char uid[65];
	assert_int_equal(deidentify(RS_DICOM_EXPLICIT_LE, RS_DEIDENTIFY_STRUCTURED, "NO", &done), RS_OK);
	const struct rs_dicom_element *images = rs_dicom_find(&done.dicom, NULL, 0x00081140),
				      *item = rs_dicom_item(&done.dicom, images, 0),
				      *content = rs_dicom_find(&done.dicom, NULL, 0x0040A730);
	rs_deidentify_uid(&key, rs_str_from(UID ".1"), uid);
	assert_true(rs_str_equal_text(rs_dicom_text(rs_dicom_find(&done.dicom, item, 0x00081155), 0), uid));
	assert_string_equal(done.names.sop_instance_uid, uid);
	assert_true(rs_str_equal_text(rs_dicom_text(rs_dicom_find(&done.dicom, NULL, 0x00020003), 0), uid));
	item = rs_dicom_item(&done.dicom, content, 0);
	assert_true(rs_str_equal_text(rs_dicom_text(rs_dicom_find(&done.dicom, item, 0x0040A160), 0),
	                              "mass in left lung of"));
	const struct rs_dicom_element *codes = rs_dicom_find(&done.dicom, NULL, 0x00120064);
	assert_int_equal(rs_dicom_item_count(&done.dicom, codes), 2);
	item = rs_dicom_item(&done.dicom, codes, 1);
	assert_true(
		rs_str_equal_text(rs_dicom_text(rs_dicom_find(&done.dicom, item, 0x00080100), 0), "113104"));
	const struct rs_dicom_element *pixels = rs_dicom_find(&done.dicom, NULL, RS_DICOM_PIXEL_DATA);
	assert_int_equal(pixels->value.size, 8);
	assert_int_equal(pixels->value.data[6], 4);
}

static void pixels_with_text_are_refused(void **state)
{
	(void)state;
	struct done done RS_CLEANUP(done_finish) = {.names = {.pseudonym = ""}};
	assert_int_equal(deidentify(RS_DICOM_EXPLICIT_LE, 0, "YES", &done), RS_REFUSED);
	assert_int_equal(done.after.size, 0);
}

static void words_of_imaging_stay_alone(void **state)
{
	static const char *const texts[][2] = {
		{"CT THORAX/ABDOMEN with contrast", "CT THORAX ABDOMEN with contrast"},
		{"Dr. Ada Winterbottom, 12 Elm Street, 8005 Zurich", ""},
		{"seen 12/03/2021, phone +41 44 123 45 67", ""},
		{"MRN 4711-0815 DOB 1970-01-01", ""},
		{"3D T1w post gd 1.5T TE 4.6 TR 12", "3D T1w post 1.5T TE 4.6 TR 12"},
		{"\x1b$B;3ED\x1b(B", ""},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(texts); i++) {
		struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
		rs_buffer_init(&out, 1000);
		words_clean(rs_str_from(texts[i][0]), &out);
		rs_buffer_append_u8(&out, 0);
		assert_string_equal((const char *)out.data, texts[i][1]);
	}
}

static void days_are_shifted_over_months_and_leap_years(void **state)
{
	static const struct {
		const char *date;
		unsigned days;
		const char *shifted;
	} cases[] = {{"20210301", 1, "20210228"},   {"20200301", 1, "20200229"},
	             {"20000301", 1, "20000229"},   {"19000301", 1, "19000228"},
	             {"20210101", 1, "20201231"},   {"20210315", 365, "20200315"},
	             {"20210315", 3650, "20110318"}};
	char out[9] = {0};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		assert_true(day_shift(cases[i].date, cases[i].days, out));
		assert_string_equal(out, cases[i].shifted);
	}
	assert_false(day_shift("20210229", 1, out));
	assert_false(day_shift("2021-1-1", 1, out));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(attributes_become_what_the_table_says),
		cmocka_unit_test(sequences_are_gone_into),
		cmocka_unit_test(pixels_with_text_are_refused),
		cmocka_unit_test(words_of_imaging_stay_alone),
		cmocka_unit_test(days_are_shifted_over_months_and_leap_years),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
