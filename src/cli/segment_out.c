/* Where a mask goes: a file, the ledger, what is told. */
#include "segment_out.h"

#include <stdio.h>
#include <string.h>

#include "export/export.h"
#include "workflow/workflow_made.h"

#define FILE_MAX ((size_t)1 << 30)
#define FILES_MAX 4096

/* ---- the image's files ---- */

struct files {
	const char *directory;
	char *paths[FILES_MAX];
	size_t count;
};

static void files_finish(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		rs_free(files->paths[i]);
}
static void files_free(struct files **files)
{
	if (*files)
		files_finish(*files);
	rs_free(*files);
}

/* Owns the path. */
static enum rs_code take_path(struct files *files, char *path, struct rs_error *err)
{
	if (!path)
		return rs_error_memory(err, 1, "a path");
	if (files->count == FILES_MAX) {
		rs_free(path);
		return rs_error_set(err, RS_TOO_LARGE, "%s: more than %d files", files->directory, FILES_MAX);
	}
	files->paths[files->count++] = path;
	return RS_OK;
}

static enum rs_code take_file(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct files *files = context;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	return take_path(files, rs_text_printf("%s/" RS_STR_FORMAT, files->directory, RS_STR_ARGUMENTS(name)),
	                 err);
}

static enum rs_code list_files(const char *path, struct files *out, struct rs_error *err)
{
	const struct rs_world *world = rs_world_system();
	struct rs_file_stat status;
	RS_TRY(world->files->stat(world->files, path, &status, err));
	out->directory = path;
	if (status.kind == RS_FILE_DIRECTORY)
		return world->files->list(world->files, path, take_file, out, err);
	return take_path(out, rs_str_duplicate(rs_str_from(path)), err);
}

static enum rs_code permit_image(struct segment_out *out, struct rs_error *err)
{
	struct files *files RS_CLEANUP(files_free) = rs_allocate(sizeof *files);
	bool known = false;
	if (!files)
		return rs_error_memory(err, sizeof *files, "the image's files");
	RS_TRY(list_files(out->image, files, err));
	const size_t images = files->count;
	for (size_t i = 0; i < out->other_count; i++) {
		const char *path = out->others[i];
		RS_TRY(take_path(files, rs_str_duplicate(rs_str_from(path)), err));
	}
	RS_TRY(sealing_permit_files(&out->sealing, (const char *const *)files->paths, files->count, err));
	for (size_t i = 0; i < images; i++)
		known |= out->sealing.sources[i].has_object;
	return known ? RS_OK
	             : rs_error_set(
			       err, RS_NOT_FOUND,
			       "%s is not sealed in this node; radseal seal it first, so that its mask can "
			       "be said to be made from it",
			       out->image);
}

enum rs_code segment_out_open(const struct command_line *line, const char *image, const char *algorithm,
                              struct segment_out *out, struct rs_error *err)
{
	const char *path = option_value(line, "output");
	out->line = line;
	out->image = image;
	out->algorithm = algorithm;
	if (!path)
		return rs_error_set(err, RS_USAGE, "segment %s: say with --output where the mask goes",
		                    line->operands[0]);
	const struct rs_str name = rs_str_from(path);
	const bool is_dicom = rs_str_ends_with(name, ".dcm");
	if (!is_dicom && !rs_str_ends_with(name, ".nii") && !rs_str_ends_with(name, ".nii.gz") &&
	    !rs_str_ends_with(name, ".nrrd"))
		return rs_error_set(err, RS_USAGE,
		                    "%s: a mask is written as .nii, .nii.gz, .nrrd or .dcm (DICOM SEG)",
		                    path);
	if (!image && (is_dicom || option_given(line, "home")))
		return rs_error_set(err, RS_USAGE, "--image says which image the mask belongs to");
	if (option_given(line, "replaces") && !option_given(line, "home"))
		return rs_error_set(err, RS_USAGE, "--replaces goes with --home");
	RS_TRY(session_pool(line, 1, &out->pool, err));
	RS_TRY(sealing_open(line, out->pool, RS_OPERATION_READ, false, &out->sealing, err));
	return out->sealing.node ? permit_image(out, err) : RS_OK;
}

void segment_out_finish(struct segment_out *out)
{
	receipts_finish(&out->receipts);
	sealing_finish(&out->sealing);
	rs_pool_destroy(out->pool);
}

/* ---- the file ---- */

static enum rs_code write_dicom(const struct segment_out *out, const struct rs_mask *mask, const char *path,
                                struct rs_error *err)
{
	struct rs_export_source *source RS_CLEANUP(rs_export_source_close_pointer) = NULL;
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const struct rs_export_maker maker = {
		.world = rs_world_system(), .version = RADSEAL_VERSION, .algorithm = out->algorithm};
	RS_TRY(rs_export_source_open(rs_world_system(), out->image, &source, err));
	rs_buffer_init(&file, FILE_MAX);
	RS_TRY(rs_export_segmentation(source, &maker, mask, &file, err));
	return rs_file_replace(rs_world_system(), path, rs_buffer_bytes(&file), 0600, err);
}

enum rs_code segment_out_write(const struct segment_out *out, const struct rs_mask *mask,
                               struct rs_error *err)
{
	const char *path = option_value(out->line, "output"), *name = option_value(out->line, "label-name");
	struct rs_label label = {.value = 1};
	struct rs_mask named = *mask;
	if (name) {
		snprintf(label.name, sizeof label.name, "%s", name);
		named.names = &label;
		named.name_count = 1;
	}
	if (rs_str_ends_with(rs_str_from(path), ".dcm"))
		return write_dicom(out, &named, path, err);
	return rs_mask_write(rs_world_system(), path, &named, err);
}

/* ---- the ledger ---- */

static void take_receipt(void *context, const struct rs_admit_result *result)
{
	struct receipts *receipts = context;
	if (result->outcome == RS_ADMIT_SEALED || result->outcome == RS_ADMIT_KNOWN)
		receipts->paths[receipts->count++] = rs_str_duplicate(rs_str_from(result->receipt_path));
}

static enum rs_code read_sealed(struct segment_out *out, const char *path, struct rs_buffer *file,
                                struct rs_sealed *sealed, struct rs_error *err)
{
	struct rs_digest digest;
	RS_TRY(rs_file_read_all(rs_world_system(), path, FILE_MAX, file, err));
	rs_sha256(rs_buffer_bytes(file), &digest);
	return rs_node_sealed(out->sealing.node, &digest, sealed, err);
}

/* NULL when the mask before is not sealed here; --replaces must be. */
static enum rs_code find_previous(struct segment_out *out, const char *corrected, struct rs_sealed *sealed,
                                  const struct rs_digest **previous, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	const char *replaces = option_value(out->line, "replaces");
	const char *path = replaces ? replaces : corrected;
	*previous = NULL;
	if (!path)
		return RS_OK;
	enum rs_code code = read_sealed(out, path, &file, sealed, err);
	if (code == RS_OK)
		*previous = &sealed->commitment;
	else if (code == RS_NOT_FOUND && replaces)
		return rs_error_set(err, code, "--replaces %s: is not sealed in this node", path);
	return code == RS_NOT_FOUND ? RS_OK : code;
}

static const struct rs_pseudonym *gather_parents(const struct sealing *sealing, struct rs_buffer *parents)
{
	const struct rs_pseudonym *subject = NULL;
	for (size_t i = 0; i < sealing->count; i++) {
		const struct rs_row_source *source = &sealing->sources[i];
		bool there = !source->has_object;
		for (size_t at = 0; at < parents->size && !there; at += RS_SHA256_SIZE)
			there = memcmp(parents->data + at, source->commitment.bytes, RS_SHA256_SIZE) == 0;
		if (!there && parents->size < RS_PARENTS_MAX * RS_SHA256_SIZE)
			rs_buffer_append(parents, source->commitment.bytes, RS_SHA256_SIZE);
		if (source->known)
			subject = &source->subject;
	}
	return subject;
}

enum rs_code segment_out_seal(struct segment_out *out, const char *corrected, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0}, parents RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_sealed before, known;
	const char *path = option_value(out->line, "output"), *media = "application/dicom";
	char name[] = "mask";
	struct rs_made made = {.name = name, .kind = RS_OBJECT_MASK};
	const struct rs_admit_options options = {
		.actor = out->sealing.actor, .report = take_receipt, .context = &out->receipts};
	if (!out->sealing.node)
		return RS_OK;
	RS_TRY(find_previous(out, corrected, &before, &made.previous, err));
	enum rs_code code = read_sealed(out, path, &file, &known, err);
	if (code != RS_OK && code != RS_NOT_FOUND)
		return code;
	if (code == RS_OK && made.previous &&
	    memcmp(&known.commitment, made.previous, sizeof known.commitment) == 0)
		return RS_OK; /* nothing was changed */
	if (!rs_str_ends_with(rs_str_from(path), ".dcm"))
		RS_TRY(rs_image_inspect(rs_buffer_bytes(&file), &media, err));
	rs_buffer_init(&parents, RS_PARENTS_MAX * RS_SHA256_SIZE);
	made.subject = gather_parents(&out->sealing, &parents);
	made.media = media;
	made.content = rs_buffer_bytes(&file);
	made.parents = rs_buffer_bytes(&parents);
	out->receipts.paths = rs_allocate_array(1, sizeof *out->receipts.paths);
	if (!out->receipts.paths)
		return rs_error_memory(err, sizeof *out->receipts.paths, "a receipt");
	return rs_node_admit_made(out->sealing.node, &made, 1, &options, err);
}

/* ---- what is told ---- */

void segment_out_tell(const struct segment_out *out, const struct rs_mask *mask, struct rs_buffer *text,
                      struct rs_json *json)
{
	const struct rs_geometry *g = &mask->geometry;
	const char *path = option_value(out->line, "output");
	const char *receipt = out->receipts.count ? out->receipts.paths[0] : NULL;
	size_t inside = 0;
	for (size_t i = 0, n = rs_geometry_voxels(g); i < n; i++)
		inside += mask->labels[i] != 0;
	const double ml = (double)inside * g->spacing_mm[0] * g->spacing_mm[1] * g->spacing_mm[2] / 1000;
	if (!json) {
		rs_buffer_printf(text, "%s: %zu voxels, %.2f ml\n", path, inside, ml);
		if (receipt)
			rs_buffer_printf(text, "sealed %s\n", receipt);
		return;
	}
	rs_json_key(json, "mask");
	rs_json_text(json, path);
	rs_json_key(json, "voxels");
	rs_json_u64(json, inside);
	rs_json_key(json, "volume_ml");
	rs_json_f64(json, ml);
	if (receipt) {
		rs_json_key(json, "receipt");
		rs_json_text(json, receipt);
	}
}
