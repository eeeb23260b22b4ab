/* Copies of DICOM files in another transfer syntax. */
#include "transcoded.h"

#include <string.h>

#include "dicom/dicom_transcode.h"
#include "dicomnet/dicomnet.h"

#define FILE_MAX ((size_t)4 << 30)

static const struct {
	const char *name, *uid;
} syntaxes[] = {{"explicit", RS_DICOM_SYNTAX_EXPLICIT},
                {"implicit", RS_DICOM_SYNTAX_IMPLICIT},
                {"rle", RS_CODEC_RLE},
                {"jpeg-ls", "1.2.840.10008.1.2.4.80"},
                {"jpeg-2000", "1.2.840.10008.1.2.4.90"}};

const char *transfer_syntax_of(const char *given)
{
	for (size_t i = 0; given && i < RS_COUNT(syntaxes); i++)
		if (strcmp(syntaxes[i].name, given) == 0)
			return syntaxes[i].uid;
	return given ? given : RS_DICOM_SYNTAX_EXPLICIT;
}

enum rs_code transcoded_beside(const char *path, const char *transfer_syntax, char **out_path,
                               struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, copy RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	char *name RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s.copy.dcm", path);
	if (!name)
		return rs_error_memory(err, strlen(path), "a name");
	RS_TRY(rs_file_read_all(world, path, FILE_MAX, &file, err));
	*out_path = NULL;
	if (!rs_dicom_begins(rs_buffer_bytes(&file)))
		return RS_OK;
	rs_buffer_init(&copy, FILE_MAX);
	enum rs_code code = rs_dicom_parse(rs_buffer_bytes(&file), &dicom, err);
	if (code == RS_OK)
		code = rs_dicom_transcode(&dicom, transfer_syntax, RS_DICOM_IMPLEMENTATION_UID, &copy, err);
	if (code != RS_OK)
		return rs_error_context(err, "%s", path);
	RS_TRY(rs_file_replace(world, name, rs_buffer_bytes(&copy), 0600, err));
	*out_path = name;
	name = NULL;
	return RS_OK;
}
