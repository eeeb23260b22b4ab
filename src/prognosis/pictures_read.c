/* Studies of pictures, and the pictures that they name: in an archive with its parts, or as files that a table lists. */
#include "pictures.h"

#include <string.h>

#include "base/base_csv.h"
#include "table/table.h"
#include "image/image_picture.h"
#include "study/study_yaml.h"

#define ARENA_MAX ((size_t)1 << 20)
#define SHARE_OF_TRAINING 0.7
#define SHARE_BEFORE_TEST 0.85

static const char *const part_names[PARTS] = {"train", "val", "test"};

/* Of a file named in another one; rs_free it. */
static char *path_beside(const char *directory, const char *name)
{
	return *name == '/' ? rs_str_duplicate(rs_str_from(name)) : rs_path_join(directory, name);
}

/* ---- study files ---- */

#define AT(member) offsetof(struct picture_study, member)
static const struct {
	const char *name;
	bool number;
	size_t offset;
	double minimum, maximum;
} keys[] = {
	{"pictures", false, AT(pictures), 0, 0},   {"file", false, AT(file), 0, 0},
	{"class", false, AT(class_column), 0, 0},  {"positive", false, AT(positive), 0, 0},
	{"subject", false, AT(subject), 0, 0},     {"part", false, AT(part), 0, 0},
	{"size", true, AT(size), 8, 1024},         {"epochs", true, AT(epochs), 1, 10000},
	{"channels", true, AT(channels), 1, 1024}, {"seed", true, AT(seed), 0, 9007199254740992.0},
};

struct parsing {
	struct rs_study_reading reading;
	struct picture_study *study;
};

static enum rs_code read_key(struct rs_study_reading *r, const char *name, yaml_node_t *value,
                             const void *context)
{
	struct parsing *const *parsing = context;
	struct rs_known_names known = {0};
	double number;
	for (size_t k = 0; k < RS_COUNT(keys); k++) {
		rs_known_add(&known, keys[k].name);
		if (strcmp(keys[k].name, name) != 0)
			continue;
		uint8_t *at = (uint8_t *)(*parsing)->study + keys[k].offset;
		if (!keys[k].number)
			return rs_study_read_text(r, value, (const char **)(void *)at);
		RS_TRY(rs_study_read_number(r, value, name, true, keys[k].minimum, keys[k].maximum, &number));
		*(uint64_t *)(void *)at = (uint64_t)number;
		return RS_OK;
	}
	return rs_known_refuse(&known, r, value, name);
}

bool rs_pictures_is_study(struct rs_bytes file)
{
	struct rs_str rest = rs_str_of_bytes(file), line;
	while (rs_str_split(&rest, '\n', &line))
		if (rs_str_starts_with(line, "pictures:"))
			return true;
	return false;
}

void picture_study_finish(struct picture_study *study) { rs_arena_finish(&study->arena); }

enum rs_code picture_study_parse(struct rs_bytes file, struct picture_study *out, struct rs_error *err)
{
	struct rs_study texts = {0};
	struct picture_study study = {.file = "file",
	                              .class_column = "class",
	                              .positive = "1",
	                              .size = 28,
	                              .epochs = 12,
	                              .channels = 16,
	                              .seed = 1};
	struct parsing parsing = {{NULL, &texts, err}, &study};
	const struct parsing *context = &parsing;
	rs_arena_init(&texts.arena, ARENA_MAX);
	enum rs_code code = rs_study_read_file(&parsing.reading, file, read_key, &context, NULL);
	study.arena = texts.arena;
	rs_sha256(file, &study.digest);
	if (code == RS_OK && !study.pictures)
		code = rs_error_set(err, RS_MALFORMED, "pictures: the archive or table is missing");
	if (code != RS_OK)
		picture_study_finish(&study);
	else
		*out = study;
	return code;
}

/* ---- pictures ---- */

void pictures_finish(struct pictures *pictures)
{
	for (int p = 0; p < PARTS; p++) {
		rs_free(pictures->values[p]);
		rs_free(pictures->labels[p]);
	}
	*pictures = (struct pictures){0};
}

static enum rs_code part_allocate(struct pictures *pictures, enum part part, size_t count,
                                  struct rs_error *err)
{
	size_t values = 0;
	pictures->count[part] = count;
	if (rs_mul_size(count, pictures->side * pictures->side, &values))
		pictures->values[part] = rs_allocate_array(values, sizeof(float));
	pictures->labels[part] = rs_allocate_array(count, sizeof(uint32_t));
	return pictures->values[part] && pictures->labels[part]
	               ? RS_OK
	               : rs_error_memory(err, values * sizeof(float), "pictures");
}

static enum rs_code archive_part(struct rs_bytes file, struct pictures *pictures, enum part part,
                                 struct rs_error *err)
{
	struct rs_npz_array images RS_CLEANUP(rs_npz_array_finish) = {0},
				   labels RS_CLEANUP(rs_npz_array_finish) = {0};
	struct rs_picture picture RS_CLEANUP(rs_picture_finish) = {0};
	const size_t values = pictures->side * pictures->side;
	char name[32];
	(void)snprintf(name, sizeof name, "%s_images", part_names[part]);
	RS_TRY(rs_npz_read(file, name, &images, err));
	(void)snprintf(name, sizeof name, "%s_labels", part_names[part]);
	RS_TRY(rs_npz_read(file, name, &labels, err));
	if (images.dimensions != 3 || labels.values.size != images.size[0] ||
	    images.size[1] > RS_PICTURE_SIDE_MAX || images.size[2] > RS_PICTURE_SIDE_MAX ||
	    images.values.size == 0)
		return rs_error_set(err, RS_UNSUPPORTED,
		                    "part '%s': images are pictures x height x width, with a label each",
		                    part_names[part]);
	RS_TRY(part_allocate(pictures, part, images.size[0], err));
	picture = (struct rs_picture){
		images.size[2], images.size[1],
		rs_allocate_array(images.size[1] * images.size[2], sizeof *picture.values)};
	if (!picture.values)
		return rs_error_memory(err, images.size[1] * images.size[2] * sizeof *picture.values,
		                       "a picture");
	for (size_t n = 0; n < images.size[0]; n++) {
		const size_t pixels = picture.width * picture.height;
		for (size_t i = 0; i < pixels; i++)
			picture.values[i] = (float)images.values.data[n * pixels + i] / 255;
		RS_TRY(rs_picture_resample(&picture, pictures->side, pictures->side,
		                           pictures->values[part] + n * values, err));
		pictures->labels[part][n] = labels.values.data[n];
		if (labels.values.data[n] > 1)
			return rs_error_set(err, RS_UNSUPPORTED,
			                    "part '%s' has a label %u: two classes, 0 and 1, are learned",
			                    part_names[part], labels.values.data[n]);
	}
	return RS_OK;
}

enum rs_code picture_load(const struct rs_world *world, const char *path, size_t side, float *out,
                          struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_picture picture RS_CLEANUP(rs_picture_finish) = {0};
	RS_TRY(rs_file_read_all(world, path, PICTURE_FILE_MAX, &file, err));
	if (rs_picture_read(rs_buffer_bytes(&file), &picture, err) != RS_OK)
		return rs_error_context(err, "%s", path);
	return rs_picture_resample(&picture, side, side, out, err);
}

/* ---- a table of files ---- */

struct listing {
	const struct rs_world *world;
	const char *directory;
	const struct picture_study *study;
	const struct rs_csv *table;
	size_t file, class_column, subject,
		part; /* columns; subject and part RS_CSV_NO_COLUMN where there is none */
	struct pictures *pictures;
	enum part *parts; /* by row */
	size_t *places;   /* by row: which of its part */
};

/* Parts drawn by the subject's name, so that neither order nor number of rows matters. */
static enum part part_drawn(const struct listing *listing, size_t row)
{
	const size_t column = listing->subject == RS_CSV_NO_COLUMN ? listing->file : listing->subject;
	const char *name = rs_csv_cell(listing->table, row, column);
	struct rs_digest digest;
	uint8_t seed[8];
	rs_write_le64(seed, listing->study->seed);
	rs_hmac_sha256(rs_bytes_of(seed, sizeof seed), rs_bytes_of(name, strlen(name)), &digest);
	const double at = (double)(rs_read_le64(digest.bytes) >> 11) * 0x1p-53;
	return at < SHARE_OF_TRAINING ? PART_TRAIN : at < SHARE_BEFORE_TEST ? PART_VALIDATION : PART_TEST;
}

static enum rs_code part_of(const struct listing *listing, size_t row, enum part *out, struct rs_error *err)
{
	if (listing->part == RS_CSV_NO_COLUMN) {
		*out = part_drawn(listing, row);
		return RS_OK;
	}
	const char *cell = rs_csv_cell(listing->table, row, listing->part);
	for (unsigned p = 0; p < PARTS; p++)
		if (strcmp(cell, part_names[p]) == 0 ||
		    (p == PART_VALIDATION && strcmp(cell, "validation") == 0)) {
			*out = (enum part)p;
			return RS_OK;
		}
	return rs_error_set(err, RS_MALFORMED, "line %zu: part '%s' is none of train, val and test",
	                    listing->table->lines[row], cell);
}

static enum rs_code load_row(void *context, size_t row, struct rs_error *err)
{
	const struct listing *listing = context;
	struct pictures *pictures = listing->pictures;
	const enum part part = listing->parts[row];
	const size_t place = listing->places[row], values = pictures->side * pictures->side;
	const char *name = rs_csv_cell(listing->table, row, listing->file);
	char *path RS_CLEANUP(rs_free_pointer) = path_beside(listing->directory, name);
	if (!path)
		return rs_error_memory(err, strlen(name), "a path");
	pictures->labels[part][place] = strcmp(rs_csv_cell(listing->table, row, listing->class_column),
	                                       listing->study->positive) == 0;
	if (picture_load(listing->world, path, pictures->side, pictures->values[part] + place * values,
	                 err) != RS_OK)
		return rs_error_context(err, "line %zu", listing->table->lines[row]);
	return RS_OK;
}

static enum rs_code find_columns(struct listing *listing, struct rs_error *err)
{
	const struct picture_study *study = listing->study;
	listing->subject = listing->part = RS_CSV_NO_COLUMN;
	RS_TRY(rs_column_find(listing->table, study->file, &listing->file, err));
	RS_TRY(rs_column_find(listing->table, study->class_column, &listing->class_column, err));
	if (study->subject)
		RS_TRY(rs_column_find(listing->table, study->subject, &listing->subject, err));
	return study->part ? rs_column_find(listing->table, study->part, &listing->part, err) : RS_OK;
}

static enum rs_code read_table(struct listing *listing, struct rs_pool *pool, struct rs_error *err)
{
	const size_t rows = listing->table->rows;
	size_t count[PARTS] = {0};
	enum part *parts RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *parts);
	size_t *places RS_CLEANUP(rs_free_pointer) = rs_allocate_array(rows, sizeof *places);
	if (!parts || !places)
		return rs_error_memory(err, rows * sizeof *places, "a table");
	RS_TRY(find_columns(listing, err));
	for (size_t row = 0; row < rows; row++) {
		RS_TRY(part_of(listing, row, &parts[row], err));
		places[row] = count[parts[row]]++;
	}
	for (unsigned p = 0; p < PARTS; p++)
		RS_TRY(part_allocate(listing->pictures, (enum part)p, count[p], err));
	listing->parts = parts;
	listing->places = places;
	return rs_pool_for(pool, rows, load_row, listing, err);
}

static enum rs_code read_pictures(const struct rs_world *world, const char *path,
                                  const struct picture_study *study, struct rs_pool *pool,
                                  struct pictures *out, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_csv table RS_CLEANUP(rs_csv_finish) = {0};
	char *directory RS_CLEANUP(rs_free_pointer) = rs_path_directory(path);
	if (!directory)
		return rs_error_memory(err, strlen(path), "a path");
	RS_TRY(rs_file_read_all(world, path, PICTURE_FILE_MAX, &file, err));
	if (rs_npz_begins(rs_buffer_bytes(&file))) {
		for (unsigned p = 0; p < PARTS; p++)
			RS_TRY(archive_part(rs_buffer_bytes(&file), out, (enum part)p, err));
		return RS_OK;
	}
	RS_TRY(rs_csv_parse(rs_buffer_bytes(&file), &table, err));
	struct listing listing = {
		.world = world, .directory = directory, .study = study, .table = &table, .pictures = out};
	return read_table(&listing, pool, err);
}

enum rs_code pictures_read(const struct rs_world *world, const char *directory,
                           const struct picture_study *study, struct rs_pool *pool, struct pictures *out,
                           struct rs_error *err)
{
	struct pictures pictures = {.side = (size_t)study->size};
	char *path RS_CLEANUP(rs_free_pointer) = path_beside(directory, study->pictures);
	if (!path)
		return rs_error_memory(err, strlen(study->pictures), "a path");
	enum rs_code code = read_pictures(world, path, study, pool, &pictures, err);
	if (code != RS_OK)
		(void)rs_error_context(err, "%s", study->pictures);
	for (int p = 0; code == RS_OK && p < PARTS; p++) {
		size_t positive = 0;
		for (size_t i = 0; i < pictures.count[p]; i++)
			positive += pictures.labels[p][i];
		if (positive == 0 || positive == pictures.count[p])
			code = rs_error_set(
				err, RS_NOT_FOUND,
				"part '%s' has %zu pictures, %zu of them positive: both classes are needed",
				part_names[p], pictures.count[p], positive);
	}
	if (code != RS_OK)
		pictures_finish(&pictures);
	else
		*out = pictures;
	return code;
}
