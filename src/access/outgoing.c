/* Files on their way out. */
#include "outgoing.h"

#include <string.h>

#include "workflow/workflow_made.h"

enum rs_code writing_begin(const struct rs_world *world, const char *base, struct writing *out,
                           struct rs_error *err)
{
	*out = (struct writing){.world = world};
	char *temporary = rs_text_printf("%s.part", base);
	if (!temporary)
		return rs_error_memory(err, strlen(base), "a path");
	enum rs_code code = rs_file_open(world, temporary, RS_OPEN_WRITE | RS_OPEN_CREATE | RS_OPEN_TRUNCATE,
	                                 &out->file, err);
	if (code != RS_OK) {
		rs_free(temporary);
		return code;
	}
	out->temporary = temporary;
	rs_sha256_init(&out->hash);
	return RS_OK;
}

enum rs_code writing_take(void *context, struct rs_bytes piece, struct rs_error *err)
{
	struct writing *writing = context;
	for (size_t i = 0; i < piece.size && writing->size + i < sizeof writing->start; i++)
		writing->start[writing->size + i] = piece.data[i];
	rs_sha256_update(&writing->hash, piece.data, piece.size);
	RS_TRY(rs_file_write_at(writing->file, writing->size, piece.data, piece.size, err));
	writing->size += piece.size;
	return RS_OK;
}

static enum rs_code name(struct writing *writing, const char *path, struct rs_error *err)
{
	const struct rs_files *files = writing->world->files;
	RS_TRY(files->rename(files, writing->temporary, path, err));
	rs_free(writing->temporary);
	writing->temporary = NULL;
	return RS_OK;
}

enum rs_code writing_name(struct writing *writing, const char *path, struct rs_error *err)
{
	RS_TRY(rs_file_sync(writing->file, err));
	return name(writing, path, err);
}

void writing_finish(struct writing *writing)
{
	rs_file_close(writing->file);
	if (writing->temporary)
		(void)writing->world->files->remove(writing->world->files, writing->temporary, NULL);
	rs_free(writing->temporary);
}

/* RFC 1952: what gzip compressed begins so. */
static const char *extension_of(const char *media, const uint8_t start[static 2])
{
	static const char *const known[][3] = {{"application/dicom", ".dcm", ".dcm"},
	                                       {"application/x-nifti", ".nii", ".nii.gz"},
	                                       {"application/x-nrrd", ".nrrd", ".nrrd"},
	                                       {"application/x-metaimage", ".mha", ".mha"},
	                                       {"text/vnd.radseal.features", ".features", ".features"},
	                                       {RS_MEDIA_MODEL, ".model", ".model"},
	                                       {RS_MEDIA_PREDICTION, ".prediction", ".prediction"},
	                                       {"text/html", ".html", ".html"},
	                                       {"application/json", ".json", ".json"},
	                                       {"application/yaml", ".yaml", ".yaml"}};
	bool compressed = start[0] == 0x1f && start[1] == 0x8b;
	for (size_t i = 0; i < RS_COUNT(known); i++)
		if (strcmp(media, known[i][0]) == 0)
			return known[i][compressed ? 2 : 1];
	return "";
}

/* Whole or not there while the power lasts. It is not synced, which would cost as much again as the file: a receipt can be
 * had anew. */
static enum rs_code write_receipt(const struct outgoing *out, const char *path, struct rs_error *err)
{
	struct writing writing RS_CLEANUP(writing_finish) = {.file = NULL};
	RS_TRY(writing_begin(out->world, path, &writing, err));
	RS_TRY(writing_take(&writing, rs_bytes_of_str(out->receipt), err));
	return name(&writing, path, err);
}

enum rs_code outgoing_write(const struct outgoing *out, struct rs_receipt_facts *out_facts, char **out_path,
                            struct rs_error *err)
{
	struct writing writing RS_CLEANUP(writing_finish) = {.file = NULL};
	struct rs_digest sha256;
	RS_TRY(writing_begin(out->world, out->base, &writing, err));
	RS_TRY(out->read(out->context, writing_take, &writing, err));
	rs_sha256_final(&writing.hash, &sha256);
	rs_file_start_writeback(writing.file);
	RS_TRY(rs_receipt_match_trusted(out->receipt, out->trust, &sha256, writing.size, out_facts, err));
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf(
		"%s%s", out->base, extension_of(out_facts->media, writing.start));
	char *receipt RS_CLEANUP(rs_free_pointer) = path ? rs_text_printf("%s.tlog-proof", path) : NULL;
	if (!receipt)
		return rs_error_memory(err, strlen(out->base), "a path");
	RS_TRY(write_receipt(out, receipt, err));
	RS_TRY(writing_name(&writing, path, err));
	*out_path = path;
	path = NULL;
	return RS_OK;
}
