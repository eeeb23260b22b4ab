/* Test tool: prints every element of a DICOM file (depth, tag, VR, length, FNV-1a of the value), whether
 * writing gives the same bytes, and the sentence when the file is refused. */
#include <stdio.h>
#include <stdlib.h>

#include "dicom/dicom.h"

static unsigned long long fnv(struct rs_bytes bytes)
{
	unsigned long long hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < bytes.size; i++)
		hash = (hash ^ bytes.data[i]) * 0x100000001b3u;
	return hash;
}

static int list(struct rs_bytes file)
{
	struct rs_dicom d RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_buffer out RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_error err = {0};
	rs_buffer_init(&out, file.size + 1024);
	if (rs_dicom_parse(file, &d, &err) != RS_OK) {
		printf("REFUSED %s\n", err.message);
		return 1;
	}
	for (size_t i = 0; i < d.count; i++) {
		const struct rs_dicom_element *e = &d.elements[i];
		printf("%d %08x %s %u %016llx\n", e->depth, e->tag, e->vr[0] ? e->vr : "--", e->length,
		       e->has_children ? 0 : fnv(e->value));
	}
	bool same = rs_dicom_write(&d, &out, &err) == RS_OK && rs_bytes_equal(rs_buffer_bytes(&out), file);
	struct rs_dicom_metadata m = {0};
	printf("WRITE %s\nWARNINGS %u\nMETADATA %s\n", same ? "same" : "differs", d.warnings,
	       rs_dicom_metadata(&d, &m, &err) == RS_OK ? "ok" : err.message);
	size_t count = (size_t)m.rows * m.columns * m.samples_per_pixel;
	double *values RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof(double));
	if (values != NULL && (m.present & RS_DICOM_HAS_PIXELS) != 0) {
		if (rs_dicom_pixels(&d, 0, values, count, &err) == RS_OK)
			printf("PIXELS %016llx\n", fnv(rs_bytes_of(values, count * sizeof(double))));
		else
			printf("PIXELS %s\n", err.message);
	}
	return 0;
}

int main(int count, char **arguments)
{
	FILE *stream = count == 2 ? fopen(arguments[1], "rb") : NULL;
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	static uint8_t chunk[65536];
	size_t got;
	rs_buffer_init(&file, (size_t)1 << 31);
	while (stream != NULL && (got = fread(chunk, 1, sizeof(chunk), stream)) != 0)
		rs_buffer_append(&file, chunk, got);
	if (stream == NULL || fclose(stream) != 0)
		return EXIT_FAILURE;
	return list(rs_buffer_bytes(&file));
}
