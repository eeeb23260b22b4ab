/* Nyúl's landmarks of training cases as a file:
 *   radseal-landmarks/v1
 *   T1 25                of so many cases
 *   1 0                  percent and value, ascending
 *   10 12.5 */
#include <stdio.h>
#include <string.h>

#include "work.h"

#define FIRST_LINE "radseal-landmarks/v1"
#define FILE_MAX ((size_t)1 << 20)

/* The first volume of each scan: the others are mapped as it is. */
static const struct {
	const char *sequence, *file;
} rows[] = {
	{"T1", "T1.nii.gz"},         {"T1C", "T1C.nii.gz"},    {"T2", "T2.nii.gz"},
	{"DWI", "DWI_b0000.nii.gz"}, {"DCE", "DCE_01.nii.gz"},
};

static enum rs_code landmarks_of(const struct rs_world *world, const char *path, struct rs_landmarks *out,
                                 struct rs_error *err)
{
	struct rs_volume volume RS_CLEANUP(rs_volume_finish) = {.voxels = NULL};
	uint8_t *region RS_CLEANUP(rs_free_pointer) = NULL;
	RS_TRY(rs_volume_read(world, path, &volume, err));
	enum rs_code code = foreground_of(&volume, &region, err);
	if (code == RS_OK)
		code = rs_landmarks_of(&volume, region, out, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}

static void write_landmarks(const char *sequence, size_t cases, const struct rs_landmarks *standard,
                            struct rs_buffer *out)
{
	rs_buffer_printf(out, "%s %zu\n", sequence, cases);
	for (size_t i = 0; i < standard->count; i++) {
		rs_buffer_append_f64_text(out, standard->percent[i]);
		rs_buffer_append_text(out, " ");
		rs_buffer_append_f64_text(out, standard->value[i]);
		rs_buffer_append_text(out, "\n");
	}
}

static enum rs_code fit_sequence(const struct rs_world *world, char *const *directories, size_t count,
                                 size_t row, size_t *found, struct rs_landmarks *all, struct rs_buffer *out,
                                 struct rs_error *err)
{
	struct rs_landmarks standard;
	*found = 0;
	for (size_t d = 0; d < count; d++) {
		char *path RS_CLEANUP(rs_free_pointer) = rs_path_join(directories[d], rows[row].file);
		if (!path)
			return rs_error_memory(err, 64, "a path");
		if (rs_path_exists(world, path))
			RS_TRY(landmarks_of(world, path, &all[(*found)++], err));
	}
	if (*found == 0)
		return RS_OK;
	RS_TRY(rs_landmarks_standard(all, *found, &standard, err));
	write_landmarks(rows[row].sequence, *found, &standard, out);
	return RS_OK;
}

enum rs_code rs_landmarks_fit(const struct rs_world *world, char *const *directories, size_t count,
                              struct rs_buffer *out, struct rs_error *err)
{
	size_t total = 0, found;
	struct rs_landmarks *all RS_CLEANUP(rs_free_pointer) = rs_allocate_array(count, sizeof *all);
	if (!all)
		return rs_error_memory(err, count * sizeof *all, "landmarks");
	rs_buffer_append_text(out, FIRST_LINE "\n");
	for (size_t row = 0; row < RS_COUNT(rows); row++) {
		RS_TRY(fit_sequence(world, directories, count, row, &found, all, out, err));
		total += found;
	}
	if (total == 0)
		return rs_error_set(err, RS_NOT_FOUND,
		                    "none of the directories holds a T1.nii.gz, T1C.nii.gz, T2.nii.gz, "
		                    "DWI_b0000.nii.gz or DCE_01.nii.gz");
	return rs_buffer_check(out, "landmarks", err);
}

static bool read_pair(struct rs_str line, double *percent, double *value)
{
	struct rs_str first;
	return rs_str_split(&line, ' ', &first) && rs_parse_f64(first, percent) && rs_parse_f64(line, value);
}

static enum rs_code parse_landmarks(struct rs_str text, const char *sequence, struct rs_landmarks *out,
                                    struct rs_error *err)
{
	struct rs_str line, name;
	struct rs_landmarks found = {.count = 0};
	bool inside = false;
	if (!rs_str_split(&text, '\n', &line) || !rs_str_equal_text(line, FIRST_LINE))
		return rs_error_set(err, RS_MALFORMED, "does not begin with " FIRST_LINE);
	while (rs_str_split(&text, '\n', &line)) {
		double percent, value;
		if (line.size > 0 && line.data[0] >= 'A') {
			(void)rs_str_split(&line, ' ', &name);
			inside = rs_str_equal_text(name, sequence);
			continue;
		}
		if (!inside || line.size == 0)
			continue;
		if (found.count == RS_LANDMARKS_MAX || !read_pair(line, &percent, &value) ||
		    (found.count > 0 &&
		     !(percent > found.percent[found.count - 1] && value > found.value[found.count - 1])))
			return rs_error_set(err, RS_MALFORMED,
			                    "landmark %zu of %s is no ascending pair of percent and value",
			                    found.count + 1, sequence);
		found.percent[found.count] = percent;
		found.value[found.count++] = value;
	}
	if (found.count < 2)
		return rs_error_set(err, RS_NOT_FOUND, "has no landmarks of %s", sequence);
	*out = found;
	return RS_OK;
}

enum rs_code landmarks_read(const struct rs_world *world, const char *path, const char *sequence,
                            struct rs_landmarks *out, struct rs_digest *out_digest, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	RS_TRY(rs_file_read_all(world, path, FILE_MAX, &file, err));
	rs_sha256(rs_buffer_bytes(&file), out_digest);
	enum rs_code code = parse_landmarks(rs_str_of_bytes(rs_buffer_bytes(&file)), sequence, out, err);
	return code == RS_OK ? RS_OK : rs_error_context(err, "%s", path);
}
