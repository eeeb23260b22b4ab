/* Times the DICOM header: from the bytes in memory to all elements before the pixels, in explicit and implicit little
 * endian, and what sealing needs of it. Median of batches, in microseconds. Without arguments on a made-up MR image of
 * about 350 elements; `dicom_bench FILE...` times these, a line each, for bench/dicom_against_peers.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dicom/dicom.h"

enum { BATCHES = 41, BATCH = 50, TARGET_US = 30, PRIVATE_ELEMENTS = 300 };

static struct rs_error err;

static void must(enum rs_code code)
{
	if (code == RS_OK)
		return;
	fprintf(stderr, "%s\n", err.message);
	exit(1);
}

static int ascending(const void *a, const void *b)
{
	const double *x = a, *y = b;
	return (*x > *y) - (*x < *y);
}

/* Median time of one call over batches of calls. */
static double median_us(struct rs_bytes file, bool metadata, size_t *out_count)
{
	const struct rs_clock *clock = rs_world_system()->clock;
	double times[BATCHES];
	for (size_t batch = 0; batch < BATCHES; batch++) {
		uint64_t start = clock->monotonic_ns(clock);
		for (size_t i = 0; i < BATCH; i++) {
			struct rs_dicom dicom = {0};
			struct rs_dicom_metadata m;
			must(rs_dicom_parse_header(file, &dicom, &err));
			if (metadata)
				must(rs_dicom_metadata(&dicom, &m, &err));
			*out_count = dicom.count;
			rs_dicom_finish(&dicom);
		}
		times[batch] = (double)(clock->monotonic_ns(clock) - start) / 1e3 / BATCH;
	}
	qsort(times, BATCHES, sizeof *times, ascending);
	return times[BATCHES / 2];
}

static void report(const char *name, struct rs_bytes file)
{
	size_t count = 0;
	double parse = median_us(file, false, &count);
	double both = median_us(file, true, &count);
	printf("%zu elements  header %6.2f us  with metadata %6.2f us  %s\n", count, parse, both, name);
}

/* Elements like a scanner's: texts, numbers and sequences of public groups, and hundreds of private ones. */
static void make(enum rs_dicom_encoding encoding, struct rs_buffer *out)
{
	static const uint16_t pixels[64 * 64];
	struct rs_dicom_builder b RS_CLEANUP(rs_dicom_builder_finish) = {0};
	rs_buffer_init(out, 1 << 20);
	rs_dicom_builder_init(&b, encoding, 1 << 20);
	rs_dicom_builder_text(&b, 0x00080005, "CS", "ISO_IR 100");
	rs_dicom_builder_text(&b, 0x00080016, "UI", "1.2.840.10008.5.1.4.1.1.4");
	rs_dicom_builder_text(&b, 0x00080018, "UI", "1.2.3.4.5");
	rs_dicom_builder_text(&b, 0x00080060, "CS", "MR");
	rs_dicom_builder_begin(&b, 0x00081140);
	for (int item = 0; item < 8; item++) {
		rs_dicom_builder_begin(&b, RS_DICOM_ITEM);
		rs_dicom_builder_text(&b, 0x00081150, "UI", "1.2.840.10008.5.1.4.1.1.4");
		rs_dicom_builder_text(&b, 0x00081155, "UI", "1.2.3.4.6");
		rs_dicom_builder_end(&b);
	}
	rs_dicom_builder_end(&b);
	rs_dicom_builder_text(&b, 0x00100020, "LO", "P1");
	rs_dicom_builder_text(&b, 0x00180050, "DS", "5");
	rs_dicom_builder_text(&b, 0x00190010, "LO", "GEMS_ACQU_01");
	for (uint32_t i = 0; i < PRIVATE_ELEMENTS; i++)
		rs_dicom_builder_text(&b, 0x00191000 + i, i % 2 ? "DS" : "SH",
		                      i % 2 ? "12.345678" : "a text");
	rs_dicom_builder_text(&b, 0x0020000D, "UI", "1.2.3");
	rs_dicom_builder_text(&b, 0x0020000E, "UI", "1.2.3.1");
	rs_dicom_builder_text(&b, 0x00200032, "DS", "-158.135803\\-179.035797\\-75.699997");
	rs_dicom_builder_text(&b, 0x00200037, "DS",
	                      "1.000000\\0.000000\\0.000000\\0.000000\\1.000000\\0.000000");
	for (uint32_t i = 0; i < 3; i++)
		rs_dicom_builder_u16(&b, 0x00280010 + i, 64);
	rs_dicom_builder_text(&b, 0x00280030, "DS", "0.661468\\0.661468");
	for (uint32_t i = 0; i < 4; i++)
		rs_dicom_builder_u16(&b, 0x00280100 + i, 1);
	rs_dicom_builder_words(&b, RS_DICOM_PIXEL_DATA, "OW", pixels, RS_COUNT(pixels));
	must(rs_dicom_builder_file(&b, "1.2.840.10008.5.1.4.1.1.4", "1.2.3.4.5", out, &err));
}

int main(int count, char **arguments)
{
	static const char *const names[] = {"made up, implicit little endian",
	                                    "made up, explicit little endian"};
	if (count < 2)
		printf("DICOM header in memory, medians (target below %d us)\n", TARGET_US);
	for (int encoding = 0; count < 2 && encoding < 2; encoding++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		make((enum rs_dicom_encoding)encoding, &file);
		report(names[encoding], rs_buffer_bytes(&file));
	}
	for (int i = 1; i < count; i++) {
		struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
		must(rs_file_read_all(rs_world_system(), arguments[i], (size_t)1 << 30, &file, &err));
		report(arguments[i], rs_buffer_bytes(&file));
	}
	return 0;
}
