/* The headers of the image that results are about. */
#include "source.h"

#include <math.h>
#include <string.h>

#define FILES_MAX ((size_t)1 << 16)
#define PIECE ((size_t)1 << 20)
#define NEAR_MM 1e-2

static void instance_finish(struct source_instance *instance) { rs_dicom_finish(&instance->dicom); }

void rs_export_source_close(struct rs_export_source *source)
{
	if (!source)
		return;
	for (size_t i = 0; i < source->count; i++)
		instance_finish(&source->instances[i]);
	rs_free(source->instances);
	rs_free(source);
}

void rs_export_source_close_pointer(struct rs_export_source **source) { rs_export_source_close(*source); }

static enum rs_code read_piece(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err)
{
	size_t got;
	RS_TRY(rs_file_read_at(context, offset, out, size, &got, err));
	return got == size ? RS_OK : rs_error_set(err, RS_IO, "the file became shorter while it was read");
}

static enum rs_code hash_file(struct rs_file *file, uint64_t size, struct rs_digest *out,
                              struct rs_error *err)
{
	struct rs_sha256 hash;
	uint8_t *piece RS_CLEANUP(rs_free_pointer) = rs_allocate(PIECE);
	if (!piece)
		return rs_error_memory(err, PIECE, "a file");
	rs_sha256_init(&hash);
	for (uint64_t at = 0; at < size; at += PIECE) {
		const size_t part = size - at < PIECE ? (size_t)(size - at) : PIECE;
		RS_TRY(read_piece(file, at, piece, part, err));
		rs_sha256_update(&hash, piece, part);
	}
	rs_sha256_final(&hash, out);
	return RS_OK;
}

/* Files that are no DICOM, or DICOM without an image, lie beside images; a file that is named is meant. */
static enum rs_code add(struct rs_export_source *source, const char *path, bool named, struct rs_error *err)
{
	struct rs_file *file RS_CLEANUP(rs_file_close_pointer) = NULL;
	struct source_instance instance = {.dicom = {.count = 0}};
	uint8_t start[132];
	uint64_t size;
	size_t got;
	RS_TRY(rs_file_open_to_read(source->world, path, SIZE_MAX, &file, &size, err));
	RS_TRY(rs_file_read_at(file, 0, start, sizeof start, &got, err));
	if (!rs_dicom_begins(rs_bytes_of(start, got)))
		return named ? rs_error_set(err, RS_UNSUPPORTED,
		                            "%s is no DICOM: results are written about DICOM images", path)
		             : RS_OK;
	const struct rs_dicom_source bytes = {size, read_piece, file};
	enum rs_code code = rs_dicom_scan(&bytes, &instance.dicom, err);
	if (code == RS_OK)
		code = rs_dicom_metadata(&instance.dicom, &instance.metadata, err);
	const bool wanted = named || instance.metadata.rows != 0;
	if (code == RS_OK && wanted)
		code = hash_file(file, size, &instance.digest, err);
	if (code != RS_OK || !wanted) {
		instance_finish(&instance);
		return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
	}
	source->instances[source->count++] = instance;
	return RS_OK;
}

struct listing {
	struct rs_export_source *source;
	const char *directory;
};

static enum rs_code grow(struct rs_export_source *source, struct rs_error *err)
{
	if (source->count < source->capacity)
		return RS_OK;
	const size_t capacity = source->capacity ? 2 * source->capacity : 64;
	struct source_instance *instances;
	if (capacity > FILES_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "more than %zu files in one series", FILES_MAX);
	instances = rs_reallocate(source->instances, capacity * sizeof *instances);
	if (!instances)
		return rs_error_memory(err, capacity * sizeof *instances, "a series");
	source->instances = instances;
	source->capacity = capacity;
	return RS_OK;
}

static enum rs_code visit(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	const struct listing *listing = context;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	if (kind != RS_FILE_REGULAR)
		return RS_OK;
	RS_TRY(grow(listing->source, err));
	path = rs_text_printf("%s/" RS_STR_FORMAT, listing->directory, RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	return add(listing->source, path, false, err);
}

/* What every object about the image has to repeat. */
static enum rs_code check(const struct rs_export_source *source, const char *path, struct rs_error *err)
{
	if (source->count == 0)
		return rs_error_set(err, RS_UNSUPPORTED, "%s: there is no DICOM image in this directory",
		                    path);
	for (size_t i = 0; i < source->count; i++) {
		const struct rs_dicom_metadata *m = &source->instances[i].metadata;
		if (m->study_instance_uid.size == 0 || m->series_instance_uid.size == 0 ||
		    m->sop_instance_uid.size == 0 || m->sop_class_uid.size == 0)
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"%s: the image does not say its study, series, instance and class", path);
		if (!rs_str_equal(m->series_instance_uid, source->instances[0].metadata.series_instance_uid))
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "%s holds several series; name a directory with one", path);
	}
	return RS_OK;
}

enum rs_code rs_export_source_open(const struct rs_world *world, const char *path,
                                   struct rs_export_source **out, struct rs_error *err)
{
	struct rs_export_source *source RS_CLEANUP(rs_export_source_close_pointer) = rs_allocate(
		sizeof *source);
	struct rs_file_stat status;
	if (!source)
		return rs_error_memory(err, sizeof *source, "an image");
	source->world = world;
	RS_TRY(world->files->stat(world->files, path, &status, err));
	RS_TRY(grow(source, err));
	if (status.kind == RS_FILE_DIRECTORY)
		RS_TRY(world->files->list(world->files, path, visit, &(struct listing){source, path}, err));
	else
		RS_TRY(add(source, path, true, err));
	RS_TRY(check(source, path, err));
	*out = source;
	source = NULL;
	return RS_OK;
}

const struct source_instance *source_at(const struct rs_export_source *source, const double position_mm[3])
{
	for (size_t i = 0; i < source->count; i++) {
		const struct rs_dicom_metadata *m = &source->instances[i].metadata;
		double apart = 0;
		for (size_t k = 0; k < 3; k++)
			apart = fmax(apart, fabs(m->image_position_mm[k] - position_mm[k]));
		if ((m->present & RS_DICOM_HAS_POSITION) && apart <= NEAR_MM)
			return &source->instances[i];
	}
	return source->count == 1 ? &source->instances[0] : NULL;
}
