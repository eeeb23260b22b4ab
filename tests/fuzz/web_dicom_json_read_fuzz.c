/* Hostile DICOM JSON made into files: what is made is parsed, and says the instance that the JSON says. */
#include <jansson.h>
#include <stdlib.h>

#include "web/dicom_json_read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum rs_code find(void *context, struct rs_str uri, size_t index, struct rs_bytes *out,
                         const char **out_syntax, struct rs_error *err RS_UNUSED)
{
	if (uri.size == 0 || uri.size > 4 || index > 2)
		return RS_NOT_FOUND;
	*out = *(const struct rs_bytes *)context;
	*out_syntax = uri.size % 2 ? "1.2.840.10008.1.2.1" : "1.2.840.10008.1.2.4.70";
	return RS_OK;
}

static void check(const json_t *dataset, const struct rs_buffer *file)
{
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	const struct rs_str uid = dicom_json_uid(dataset, "00080018");
	if (rs_dicom_parse(rs_buffer_bytes(file), &dicom, NULL) != RS_OK)
		abort();
	const struct rs_dicom_element *element = rs_dicom_find(&dicom, NULL, RS_DICOM_TAG(2, 3));
	if (!element || !rs_str_equal(rs_dicom_text(element, 0), uid))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_bytes bytes = rs_bytes_of(data, size < 8 ? size : 8);
	const struct bulk_source bulk = {find, &bytes};
	struct rs_error err = {0};
	json_error_t why;
	json_t *dataset = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES, &why);
	if (!dataset)
		return 0;
	rs_buffer_init(&file, (size_t)16 << 20);
	if (dicom_json_read(dataset, &bulk, &file, &err) == RS_OK)
		check(dataset, &file);
	else if (err.message[0] == '\0')
		abort();
	json_decref(dataset);
	return 0;
}
