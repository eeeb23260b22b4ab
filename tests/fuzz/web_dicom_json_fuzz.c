/* Data sets of hostile files as JSON: whatever is parsed is written as JSON that another's parser takes; and paths of bulk data
 * lead to elements or nowhere. */
#include <jansson.h>
#include <stdlib.h>

#include "web/dicom_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct rs_dicom *dicom, const struct rs_buffer *text)
{
	json_error_t error;
	json_t *root = json_loadb((const char *)text->data, text->size, JSON_ALLOW_NUL, &error);
	/* Numbers beyond what jansson's type holds, and sequences deeper than it goes, are valid JSON nevertheless. */
	if (!root && json_error_code(&error) != json_error_numeric_overflow &&
	    json_error_code(&error) != json_error_stack_overflow)
		abort();
	if (root && json_object_size(root) > dicom->count)
		abort();
	json_decref(root);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rs_dicom dicom = {0};
	struct rs_buffer text RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_json json;
	struct rs_error err = {0};
	if (rs_dicom_parse(rs_bytes_of(data, size), &dicom, &err) != RS_OK)
		return 0;
	rs_buffer_init(&text, (size_t)64 << 20);
	rs_json_init(&json, &text, false);
	if (dicom_json_write(&dicom, "http://x/bulkdata", false, &json, &err) == RS_OK)
		check(&dicom, &text);
	else if (err.message[0] == '\0')
		abort();
	(void)bulk_find(&dicom, RS_STR("0040A168.1.00080100"));
	(void)bulk_find(&dicom, (struct rs_str){(const char *)data, size < 64 ? size : 64});
	rs_dicom_finish(&dicom);
	return 0;
}
