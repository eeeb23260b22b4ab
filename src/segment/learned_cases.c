/* Cases of a table: which are trained on, which are held out, and their images. */
#include "learned_cases.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define TABLE_MAX ((size_t)256 << 20)

void cases_finish(struct cases *cases)
{
	rs_csv_finish(&cases->table);
	rs_free(cases->directory);
	rs_free(cases->held_out);
	*cases = (struct cases){0};
}

static enum rs_code find_columns(struct cases *cases, struct rs_error *err)
{
	cases->subject = rs_csv_column(&cases->table, "subject");
	cases->mask = rs_csv_column(&cases->table, "mask");
	if (cases->subject == RS_CSV_NO_COLUMN || cases->mask == RS_CSV_NO_COLUMN)
		return rs_error_set(
			err, RS_MALFORMED,
			"a table of cases has the columns 'subject' and 'mask', and one for each image");
	for (size_t c = 0; c < cases->table.columns; c++) {
		if (c == cases->subject || c == cases->mask)
			continue;
		if (cases->channels == RS_LEARNED_CHANNELS_MAX ||
		    strlen(rs_csv_name(&cases->table, c)) >= sizeof((struct rs_learned *)NULL)->names[0])
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"a table of cases has at most %d images, with names of less than 64 bytes",
				RS_LEARNED_CHANNELS_MAX);
		cases->columns[cases->channels++] = c;
	}
	return cases->channels ? RS_OK
	                       : rs_error_set(err, RS_MALFORMED,
	                                      "a table of cases has a column for each image: there is none");
}

/* Subjects in an order that is drawn by their names: it depends on neither order nor number of the rows. */
struct drawn {
	struct rs_digest by;
	size_t row;
};

static int by_draw(const void *a, const void *b)
{
	return memcmp(((const struct drawn *)a)->by.bytes, ((const struct drawn *)b)->by.bytes,
	              RS_SHA256_SIZE);
}

static enum rs_code hold_out(struct cases *cases, const struct rs_learned_options *options,
                             struct rs_error *err)
{
	struct drawn *drawn RS_CLEANUP(rs_free_pointer) = rs_allocate_array(cases->count, sizeof *drawn);
	uint8_t seed[8];
	size_t subjects = 0, held = 0;
	if (!drawn)
		return rs_error_memory(err, cases->count * sizeof *drawn, "cases");
	rs_write_le64(seed, options->seed);
	for (size_t r = 0; r < cases->count; r++) {
		const char *name = rs_csv_cell(&cases->table, r, cases->subject);
		if (!*name)
			return rs_error_set(err, RS_MALFORMED, "line %zu names no subject",
			                    cases->table.lines[r]);
		drawn[r].row = r;
		rs_hmac_sha256(rs_bytes_of(seed, sizeof seed), rs_bytes_of(name, strlen(name)), &drawn[r].by);
	}
	qsort(drawn, cases->count, sizeof *drawn, by_draw);
	for (size_t i = 0; i < cases->count; i++)
		subjects += i == 0 || by_draw(&drawn[i], &drawn[i - 1]) != 0;
	/* At least one when any is wanted. */
	const double share = ceil(options->held_out * (double)subjects - 1e-9);
	for (size_t i = 0; i < cases->count; i++) {
		held += i == 0 || by_draw(&drawn[i], &drawn[i - 1]) != 0;
		cases->held_out[drawn[i].row] = (double)held <= share;
	}
	return (double)subjects > share
	               ? RS_OK
	               : rs_error_set(err, RS_USAGE, "of %zu subjects none is left to train on", subjects);
}

static enum rs_code read_table(struct cases *cases, const char *table,
                               const struct rs_learned_options *options, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(cases->world, table, TABLE_MAX, &file, err));
	RS_TRY(rs_csv_parse(rs_buffer_bytes(&file), &cases->table, err));
	RS_TRY(find_columns(cases, err));
	cases->count = cases->table.rows;
	cases->directory = rs_path_directory(table);
	cases->held_out = rs_allocate_array(cases->count, sizeof *cases->held_out);
	if (!cases->directory || !cases->held_out)
		return rs_error_memory(err, cases->count, "cases");
	if (cases->count == 0)
		return rs_error_set(err, RS_MALFORMED, "a table of no cases");
	return hold_out(cases, options, err);
}

enum rs_code cases_read(const struct rs_world *world, const char *table,
                        const struct rs_learned_options *options, struct cases *out, struct rs_error *err)
{
	struct cases cases = {.world = world, .label = options->label};
	if (read_table(&cases, table, options, err) != RS_OK) {
		cases_finish(&cases);
		return rs_error_context(err, "%s", table);
	}
	*out = cases;
	return RS_OK;
}

/* ---- images ---- */

void case_images_finish(struct case_images *images)
{
	for (size_t c = 0; c < RS_LEARNED_CHANNELS_MAX; c++)
		rs_volume_finish(&images->volumes[c]);
	rs_mask_finish(&images->mask);
}

static void hash_f64s(struct rs_sha256 *hash, const double *values, size_t count)
{
	uint8_t bytes[8 * 512];
	for (size_t i = 0; i < count; i += 512) {
		const size_t some = count - i < 512 ? count - i : 512;
		for (size_t k = 0; k < some; k++) {
			uint64_t bits;
			memcpy(&bits, &values[i + k], sizeof bits);
			rs_write_le64(bytes + 8 * k, bits);
		}
		rs_sha256_update(hash, bytes, 8 * some);
	}
}

static void hash_grid(struct rs_sha256 *hash, const struct rs_geometry *grid)
{
	const double sizes[3] = {(double)grid->size[0], (double)grid->size[1], (double)grid->size[2]};
	hash_f64s(hash, sizes, 3);
	hash_f64s(hash, grid->spacing_mm, 3);
	hash_f64s(hash, grid->origin_mm, 3);
	for (int r = 0; r < 3; r++)
		hash_f64s(hash, grid->direction[r], 3);
}

static void hash_mask(struct rs_sha256 *hash, const struct rs_mask *mask)
{
	const size_t voxels = rs_geometry_voxels(&mask->geometry);
	for (size_t i = 0; i < voxels; i++) {
		const double inside = mask->labels[i] != 0;
		hash_f64s(hash, &inside, 1);
	}
}

/* The path in a cell; NULL with RS_OK: it is empty. */
static enum rs_code path_of(const struct cases *cases, size_t row, size_t column, char **out,
                            struct rs_error *err)
{
	const char *cell = rs_csv_cell(&cases->table, row, column);
	*out = NULL;
	if (!*cell)
		return RS_OK;
	*out = *cell == '/' ? rs_str_duplicate(rs_str_from(cell)) : rs_path_join(cases->directory, cell);
	return *out ? RS_OK : rs_error_memory(err, strlen(cell), "a path");
}

static enum rs_code permit_paths(const struct cases *cases, char **paths,
                                 const struct rs_learned_report *report, struct rs_error *err)
{
	size_t count = 0;
	for (size_t r = 0; r < cases->count; r++)
		for (size_t c = 0; c <= cases->channels; c++) {
			RS_TRY(path_of(cases, r, c < cases->channels ? cases->columns[c] : cases->mask,
			               &paths[count], err));
			count += paths[count] != NULL;
		}
	return report->permit(report->context, (const char *const *)paths, count, err);
}

enum rs_code cases_permit(const struct cases *cases, const struct rs_learned_report *report,
                          struct rs_error *err)
{
	const size_t most = cases->count * (cases->channels + 1);
	if (!report->permit)
		return RS_OK;
	char **paths = rs_allocate_array(most, sizeof *paths);
	if (!paths)
		return rs_error_memory(err, most * sizeof *paths, "paths");
	enum rs_code code = permit_paths(cases, paths, report, err);
	for (size_t i = 0; i < most; i++)
		rs_free(paths[i]);
	rs_free(paths);
	return code;
}

static enum rs_code read_images(const struct cases *cases, size_t row, struct case_images *images,
                                struct rs_sha256 *hash, const struct rs_geometry **out_grid,
                                struct rs_error *err)
{
	for (size_t c = 0; c < cases->channels; c++) {
		char *path RS_CLEANUP(rs_free_pointer) = NULL;
		const uint8_t there = *rs_csv_cell(&cases->table, row, cases->columns[c]) != '\0';
		struct rs_volume *volume = &images->volumes[c];
		rs_sha256_update(hash, &there, 1);
		RS_TRY(path_of(cases, row, cases->columns[c], &path, err));
		if (!path)
			continue;
		if (rs_volume_read(cases->world, path, volume, err) != RS_OK)
			return rs_error_context(err, "%s", path);
		images->there[c] = volume;
		*out_grid = *out_grid ? *out_grid : &volume->geometry;
		hash_grid(hash, &volume->geometry);
		hash_f64s(hash, volume->voxels, rs_geometry_voxels(&volume->geometry));
	}
	return *out_grid ? RS_OK : rs_error_set(err, RS_MALFORMED, "no image is named");
}

static enum rs_code read_case(const struct cases *cases, size_t row, struct case_images *images,
                              struct rs_error *err)
{
	const struct rs_label_choice choice = {.texts = &cases->label, .count = cases->label ? 1 : 0};
	const struct rs_geometry *grid = NULL;
	char *path RS_CLEANUP(rs_free_pointer) = NULL;
	struct rs_sha256 hash;
	rs_sha256_init(&hash);
	RS_TRY(read_images(cases, row, images, &hash, &grid, err));
	RS_TRY(path_of(cases, row, cases->mask, &path, err));
	if (!path)
		return rs_error_set(err, RS_MALFORMED, "no mask is named");
	if (rs_mask_read_chosen(cases->world, path, grid, &choice, &images->mask, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	hash_mask(&hash, &images->mask);
	rs_sha256_final(&hash, &images->digest);
	return RS_OK;
}

enum rs_code case_read(const struct cases *cases, size_t row, struct case_images *out, struct rs_error *err)
{
	struct case_images images = {0};
	if (read_case(cases, row, &images, err) != RS_OK) {
		case_images_finish(&images);
		return rs_error_context(err, "line %zu", cases->table.lines[row]);
	}
	*out = images;
	/* It points into itself. */
	for (size_t c = 0; c < cases->channels; c++)
		out->there[c] = images.there[c] ? &out->volumes[c] : NULL;
	return RS_OK;
}
