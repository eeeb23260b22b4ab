/* Recognition: what manufacturers write, parted and put together. Values follow the manufacturers' conformance statements and
 * dcm2niix' documentation of their b-values. */
#include "prepare/prepare_test.h"

static struct rs_scans found;
static struct rs_buffer complaints;

static int each_setup(void **state)
{
	rs_buffer_init(&complaints, 1 << 16);
	found = (struct rs_scans){.count = 0};
	return test_setup(state);
}

static int each_teardown(void **state)
{
	rs_scans_finish(&found);
	rs_buffer_finish(&complaints);
	return test_teardown(state);
}

static void find_with(const struct rs_scan_override *overrides, size_t count)
{
	struct rs_error err = {0};
	rs_scans_finish(&found);
	if (rs_scans_find(test_world, "/s", overrides, count, &complaints, &found, &err) != RS_OK)
		fail_msg("%s", err.message);
}

#define TYPE(text)                     \
	{                              \
		0x00080008, "CS", text \
	}
#define SEQUENCE(text)                 \
	{                              \
		0x00180020, "CS", text \
	}
#define VARIANT(text)                  \
	{                              \
		0x00180021, "CS", text \
	}
#define TR(text)                       \
	{                              \
		0x00180080, "DS", text \
	}
#define TE(text)                       \
	{                              \
		0x00180081, "DS", text \
	}
#define FLIP(text)                     \
	{                              \
		0x00181314, "DS", text \
	}
#define AT(text)                       \
	{                              \
		0x00080032, "TM", text \
	}
#define END                   \
	{                     \
		0, NULL, NULL \
	}

static void one_series_is_recognised_by_how_it_was_made(void **state)
{
	static const struct {
		enum rs_scan_kind kind;
		const char *why;
		struct attribute own[8];
	} cases[] = {
		{RS_SCAN_T2, "TE 90 ms and long TR", {SEQUENCE("SE"), TR("4000"), TE("90"), END}},
		{RS_SCAN_T1, "TR 500 and TE 12", {SEQUENCE("SE"), TR("500"), TE("12"), END}},
		{RS_SCAN_T1,
	         "spoiled",
	         {SEQUENCE("GR"), VARIANT("SP\\OSP"), TR("4.2"), TE("1.9"), FLIP("12"), END}},
		{RS_SCAN_T1C,
	         "ContrastBolusAgent",
	         {{0x00180010, "LO", "Gadovist"}, SEQUENCE("GR"), TR("4.2"), TE("1.9"), END}},
		{RS_SCAN_T1,
	         "TE 1.9",
	         {{0x00180010, "LO", "NONE"}, SEQUENCE("GR"), TR("4.2"), TE("1.9"), END}},
		{RS_SCAN_OTHER, "T2*", {SEQUENCE("GR"), TR("500"), TE("20"), END}},
		{RS_SCAN_OTHER,
	         "balanced",
	         {SEQUENCE("GR"), VARIANT("SS"), TR("3.8"), TE("1.9"), FLIP("60"), END}},
		{RS_SCAN_OTHER,
	         "FLAIR",
	         {SEQUENCE("SE\\IR"), TR("9000"), TE("120"), {0x00180082, "DS", "2500"}, END}},
		{RS_SCAN_OTHER, "neither", {SEQUENCE("SE"), TR("3000"), TE("20"), END}},
		{RS_SCAN_ADC, "ADC", {TYPE("DERIVED\\PRIMARY\\DIFFUSION\\ADC"), SEQUENCE("EP"), END}},
		{RS_SCAN_OTHER,
	         "phase",
	         {TYPE("ORIGINAL\\PRIMARY\\P"), SEQUENCE("GR"), TR("4"), TE("2"), END}},
		{RS_SCAN_OTHER,
	         "LOCALIZER",
	         {TYPE("ORIGINAL\\PRIMARY\\LOCALIZER"), SEQUENCE("SE"), TE("90"), END}},
		{RS_SCAN_OTHER, "over time", {SEQUENCE("EP\\GR"), TR("2000"), TE("30"), END}},
		{RS_SCAN_T2, "only its description", {{0x0008103E, "LO", "ax t2 haste"}, END}},
		{RS_SCAN_OTHER, "nothing", {{0x0008103E, "LO", "at2b"}, END}},
	};
	(void)state;
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		put_volume("1.2.3.7", 4, 1, 9, cases[i].own);
		find_with(NULL, 0);
		assert_int_equal(found.count, 1);
		if (found.items[0].kind != cases[i].kind || !strstr(found.items[0].why, cases[i].why))
			fail_msg("case %zu: %s: %s", i, rs_scan_kind_name(found.items[0].kind),
			         found.items[0].why);
		assert_true(found.items[0].chosen == (cases[i].kind != RS_SCAN_OTHER));
		assert_true(found.items[0].places == 4 && found.items[0].number == 7);
	}
}

/* "SV10", two tags, of which the second is B_value with the items "", "800". */
static size_t csa_header(uint8_t out[256])
{
	memset(out, 0, 256);
	memcpy(out, "SV10\4\3\2\1", 8);
	rs_write_le32(out + 8, 2);
	rs_write_le32(out + 12, 77);
	memcpy(out + 16, "EchoLinePosition", 16);
	uint8_t *tag = out + 16 + 84;
	memcpy(tag, "B_value", 7);
	rs_write_le32(tag + 76, 2);
	rs_write_le32(tag + 84 + 16 + 4, 4);
	memcpy(tag + 84 + 32, "800", 3);
	return (size_t)(tag + 84 + 36 - out);
}

static void weightings_are_read_as_manufacturers_write_them(void **state)
{
	static const struct {
		const char *source;
		double b;
		struct attribute own[4];
	} cases[] = {
		{"DiffusionBValue", 750, {SEQUENCE("EP"), {0x00189087, "FD", "750"}, END}},
		{"(0043,1039)",
	         600,
	         {SEQUENCE("EP"),
	          {0x00430010, "LO", "GEMS_PARM_01"},
	          {0x00431039, "IS", "1000000600\\8\\0"},
	          END}},
		{"(0043,1039)",
	         50,
	         {SEQUENCE("EP"), {0x00430011, "LO", "GEMS_PARM_01"}, {0x00431139, "IS", "50\\8\\0"}, END}},
		{"(0043,1039)",
	         70,
	         {SEQUENCE("EP"), {0x00430011, "LO", "GEMS_PARM_01"}, {0x00431139, "UN", "70\\8\\0"}, END}},
		{"(0019,100C)",
	         400,
	         {SEQUENCE("EP"), {0x00190010, "LO", "SIEMENS MR HEADER"}, {0x0019100C, "IS", "400"}, END}},
		{"(2001,1003)",
	         1000,
	         {SEQUENCE("EP"),
	          {0x20010010, "LO", "Philips Imaging DD 001"},
	          {0x20011003, "FL", "1000"},
	          END}},
		{"SequenceName", 900, {SEQUENCE("EP"), {0x00180024, "SH", "*ep_b900t"}, END}},
		{"ImageComments", 500, {SEQUENCE("EP"), {0x00204000, "LT", "b=500(0.4,0.0,0.9)"}, END}},
		{"CSA",
	         800,
	         {SEQUENCE("EP"), {0x00290010, "LO", "SIEMENS CSA HEADER"}, {0x00291010, "OB", ""}, END}},
	};
	uint8_t header[256];
	(void)state;
	test_binary = rs_bytes_of(header, csa_header(header));
	for (size_t i = 0; i < RS_COUNT(cases); i++) {
		put_volume("1.2.3.7", 3, 1, 9, cases[i].own);
		find_with(NULL, 0);
		if (found.items[0].kind != RS_SCAN_DWI || found.items[0].volumes[0].b != cases[i].b ||
		    !strstr(found.items[0].why, cases[i].source))
			fail_msg("case %zu: b %g: %s", i, found.items[0].volumes[0].b, found.items[0].why);
	}
	/* Whoever does not own the block has not said it. */
	const struct attribute stranger[] = {
		SEQUENCE("EP"), {0x00190010, "LO", "SOMEBODY"}, {0x0019100C, "IS", "400"}, END};
	put_volume("1.2.3.7", 3, 1, 9, stranger);
	find_with(NULL, 0);
	assert_int_equal(found.items[0].kind, RS_SCAN_OTHER);
	/* Every beginning of a header is survived. */
	for (size_t size = 0; size < test_binary.size; size++) {
		const struct attribute cut[] = {
			{0x00290010, "LO", "SIEMENS CSA HEADER"}, {0x00291010, "OB", ""}, END};
		test_binary.size = size;
		put_volume("1.2.3.7", 1, 1, 9, cut);
		find_with(NULL, 0);
	}
}

static void volumes_at_one_place_are_parted(void **state)
{
	static const char *const weights[] = {"800", "0", "50", "800"};
	struct attribute own[] = {SEQUENCE("EP"), {0x00189087, "FD", NULL}, END};
	(void)state;
	for (unsigned v = 0; v < 4; v++) {
		own[1].value = weights[v];
		put_volume("1.2.3.7", 5, 1 + 5 * v, (uint16_t)(100 * (v + 1)), own);
	}
	const struct attribute adc[] = {TYPE("DERIVED\\PRIMARY\\ADC"), SEQUENCE("EP"), END};
	put_volume("1.2.3.7", 5, 21, 1234, adc);
	find_with(NULL, 0);
	assert_int_equal(found.count, 2);
	const struct rs_scan *dwi = rs_scans_chosen(&found, RS_SCAN_DWI);
	assert_true(rs_scans_chosen(&found, RS_SCAN_ADC) != NULL && dwi != NULL && dwi->volume_count == 4);
	static const double wanted[][2] = {{0, 200}, {50, 300}, {800, 100}, {800, 400}};
	for (size_t v = 0; v < 4; v++) {
		struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
		struct rs_error err = {0};
		assert_true(dwi->volumes[v].b == wanted[v][0] && dwi->volumes[v].image_count == 5);
		if (rs_volume_read_images(test_world, dwi->volumes[v].images, 5, &volume, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_true(volume.voxels[0] == wanted[v][1]);
	}
}

static void begin_group(struct rs_dicom_builder *b, uint32_t sequence)
{
	rs_dicom_builder_begin(b, sequence);
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
}

static void end_group(struct rs_dicom_builder *b)
{
	rs_dicom_builder_end(b);
	rs_dicom_builder_end(b);
}

/* One frame: its time or weighting in functional groups (PS3.3 C.8.13.5.9, C.7.6.16.2.2). */
static void put_frame(struct rs_dicom_builder *b, double weight, uint32_t time, unsigned z)
{
	uint8_t bytes[8];
	char text[32];
	rs_dicom_builder_begin(b, RS_DICOM_ITEM);
	begin_group(b, 0x00189117);
	rs_dicom_builder_bytes(b, 0x00189087, "FD",
	                       rs_bytes_of(bytes, rs_voxel_store(weight, RS_VOXEL_F64, bytes)));
	end_group(b);
	begin_group(b, 0x00209111);
	rs_write_le32(bytes, time);
	rs_dicom_builder_bytes(b, 0x00209128, "UL", rs_bytes_of(bytes, 4));
	end_group(b);
	begin_group(b, 0x00209113);
	(void)snprintf(text, sizeof text, "0\\0\\%u", 5 * z);
	rs_dicom_builder_text(b, 0x00200032, "DS", text);
	end_group(b);
	rs_dicom_builder_end(b);
}

static void put_multi_frame(void)
{
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	uint16_t pixels[12] = {0};
	for (uint16_t i = 0; i < 12; i++)
		pixels[i] = i;
	rs_dicom_builder_init(&b, RS_DICOM_EXPLICIT_LE, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080060, "CS", "MR");
	rs_dicom_builder_text(&b, 0x00189008, "CS", "SPIN");
	rs_dicom_builder_text(&b, 0x00189018, "CS", "YES");
	rs_dicom_builder_text(&b, 0x0020000D, "UI", "1.2.3");
	rs_dicom_builder_text(&b, 0x0020000E, "UI", "1.2.3.7");
	rs_dicom_builder_u16(&b, 0x00280002, 1);
	rs_dicom_builder_text(&b, 0x00280004, "CS", "MONOCHROME2");
	rs_dicom_builder_text(&b, 0x00280008, "IS", "12");
	rs_dicom_builder_u16(&b, 0x00280010, 1);
	rs_dicom_builder_u16(&b, 0x00280011, 1);
	for (uint32_t i = 0; i < 4; i++)
		rs_dicom_builder_u16(&b, 0x00280100 + i, i < 2 ? 16 : i == 2 ? 15 : 0);
	begin_group(&b, 0x52009229);
	begin_group(&b, 0x00209116);
	rs_dicom_builder_text(&b, 0x00200037, "DS", "1\\0\\0\\0\\1\\0");
	end_group(&b);
	begin_group(&b, 0x00289110);
	rs_dicom_builder_text(&b, 0x00280030, "DS", "2\\2");
	end_group(&b);
	end_group(&b);
	rs_dicom_builder_begin(&b, 0x52009230);
	for (unsigned i = 0; i < 12; i++)
		put_frame(&b, i % 2 ? 800 : 0, 1 + i / 2 % 2, i / 4);
	rs_dicom_builder_end(&b);
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", pixels, 12);
	rs_buffer_init(&file, 1 << 20);
	assert_int_equal(rs_dicom_builder_file(&b, "1.2.840.10008.5.1.4.1.1.4.1", "1.2.3.4", &file, &err),
	                 RS_OK);
	assert_int_equal(rs_file_replace(test_world, "/s/e.dcm", rs_buffer_bytes(&file), 0600, &err), RS_OK);
}

static void frames_of_one_file_are_parted(void **state)
{
	static const double wanted[4][4] = {{0, 0, 4, 8}, {0, 2, 6, 10}, {800, 1, 5, 9}, {800, 3, 7, 11}};
	(void)state;
	put_multi_frame();
	find_with(NULL, 0);
	assert_true(found.count == 1 && found.items[0].kind == RS_SCAN_DWI &&
	            found.items[0].volume_count == 4);
	for (size_t v = 0; v < 4; v++) {
		const struct rs_scan_volume *own = &found.items[0].volumes[v];
		struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
		struct rs_error err = {0};
		if (rs_volume_read_images(test_world, own->images, own->image_count, &volume, &err) != RS_OK)
			fail_msg("%s", err.message);
		assert_true(own->b == wanted[v][0]);
		for (size_t z = 0; z < 3; z++)
			assert_true(volume.voxels[z] == wanted[v][1 + z]);
	}
}

/* A series for each time, agent from the second on; files numbered against the clock. */
static void times_are_put_together_and_in_order(void **state)
{
	static const char *const times[] = {"101530.5", "101400", "101600", "101500"};
	(void)state;
	for (unsigned v = 0; v < 4; v++) {
		const char *series[] = {"1.2.3.10", "1.2.3.11", "1.2.3.12", "1.2.3.13"};
		struct attribute own[8] = {AT(times[v])};
		size_t at = 1;
		if (v != 1)
			own[at++] = (struct attribute){0x00180010, "LO", "Gadovist"};
		own[at++] = (struct attribute)SEQUENCE("GR");
		own[at++] = (struct attribute)TR("4.2");
		own[at++] = (struct attribute)TE("1.9");
		own[at++] = (struct attribute)FLIP("12");
		own[at] = (struct attribute)END;
		put_volume(series[v], 3, 1, (uint16_t)(v + 1), own);
	}
	find_with(NULL, 0);
	assert_int_equal(found.count, 1);
	const struct rs_scan *dce = rs_scans_chosen(&found, RS_SCAN_DCE);
	assert_true(dce != NULL && dce->volume_count == 4 && dce->series_count == 4 && dce->contrast);
	static const double wanted[] = {0, 60, 90.5, 120};
	for (size_t v = 0; v < 4; v++)
		assert_true(fabs(dce->volumes[v].time_s - wanted[v]) < 1e-6);
	assert_true(!dce->volumes[0].contrast && dce->volumes[1].contrast);
	assert_string_equal(dce->note, "");
}

static void odd_times_are_told(void **state)
{
	struct attribute own[] = {AT("101500"), SEQUENCE("GR"),           TR("4.2"),
	                          TE("1.9"),    {0x00200100, "IS", NULL}, END};
	static const char *const order[] = {"1", "2", "3"}, *const clock[] = {"101500", "101700", "101600"};
	(void)state;
	for (unsigned v = 0; v < 3; v++) {
		own[4].value = order[v];
		put_volume("1.2.3.7", 3, 1 + 3 * v, 1, own);
	}
	find_with(NULL, 0);
	assert_int_equal(found.items[0].kind, RS_SCAN_DCE);
	assert_non_null(strstr(found.items[0].note, "not told"));
	for (unsigned v = 0; v < 3; v++) {
		own[4].value = order[v];
		own[0].value = clock[v];
		put_volume("1.2.3.7", 3, 1 + 3 * v, 1, own);
	}
	find_with(NULL, 0);
	assert_non_null(strstr(found.items[0].note, "another order"));
	assert_true(found.items[0].volumes[1].order == 3 && found.items[0].volumes[1].time_s == 60);
}

static void the_user_knows_better(void **state)
{
	const struct attribute t2[] = {SEQUENCE("SE"), TR("4000"), TE("90"), END};
	const struct rs_scan_override both[] = {{"7", RS_SCAN_OTHER}, {"1.2.3.8", RS_SCAN_T2}},
				      none = {"9", RS_SCAN_T1};
	struct rs_error err = {0};
	(void)state;
	put_volume("1.2.3.7", 4, 1, 9, t2);
	put_volume("1.2.3.8", 4, 1, 9, t2);
	find_with(NULL, 0);
	assert_string_equal(rs_scans_chosen(&found, RS_SCAN_T2)->uid, "1.2.3.7");
	find_with(both, 2);
	assert_string_equal(rs_scans_chosen(&found, RS_SCAN_T2)->uid, "1.2.3.8");
	rs_scans_finish(&found);
	assert_int_equal(rs_scans_find(test_world, "/s", &none, 1, &complaints, &found, &err), RS_USAGE);
	assert_non_null(strstr(err.message, "no series 9"));
}

static void what_is_no_study_is_refused(void **state)
{
	const struct attribute other[] = {{0x00100021, "LO", "X"}, END};
	struct rs_error err = {0};
	(void)state;
	assert_int_equal(rs_scans_find(test_world, "/s", NULL, 0, &complaints, &found, &err), RS_NOT_FOUND);
	put_volume("1.2.3.7", 3, 1, 9, other);
	assert_int_equal(rs_file_replace(test_world, "/s/broken.dcm",
	                                 rs_bytes_of("\x08\0\x05\0CS\xff\x7f"
	                                             "ISO_IR",
	                                             14),
	                                 0600, &err),
	                 RS_OK);
	assert_int_equal(rs_file_replace(test_world, "/s/LICENSE", rs_bytes_of("free", 4), 0600, &err),
	                 RS_OK);
	find_with(NULL, 0);
	assert_true(found.passed_over == 2 && found.files == 3);
	assert_non_null(strstr((const char *)complaints.data, "broken.dcm"));
}

int main(void)
{
#define EACH(name) cmocka_unit_test_setup_teardown(name, each_setup, each_teardown)
	const struct CMUnitTest tests[] = {
		EACH(one_series_is_recognised_by_how_it_was_made),
		EACH(weightings_are_read_as_manufacturers_write_them),
		EACH(volumes_at_one_place_are_parted),
		EACH(frames_of_one_file_are_parted),
		EACH(times_are_put_together_and_in_order),
		EACH(odd_times_are_told),
		EACH(the_user_knows_better),
		EACH(what_is_no_study_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
