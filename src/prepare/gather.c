/* Files of a directory: which hold images, and of which series. */
#include "gather.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16
#define FILE_MAX ((size_t)2 << 30)
#define COMPLAINTS_MAX 20

struct walk {
	const struct rs_world *world;
	const char *directory;
	struct gathered *gathered;
	unsigned depth;
};

char *arena_text(struct rs_arena *arena, struct rs_str text)
{
	char *copy = rs_arena_allocate(arena, text.size + 1);
	if (copy && text.size > 0)
		memcpy(copy, text.data, text.size);
	return copy;
}

void gathered_finish(struct gathered *gathered)
{
	rs_free(gathered->series);
	rs_free(gathered->images);
}

/* Room for one more item; *items is moved. */
static enum rs_code make_room(void **items, size_t count, size_t *room, size_t size, struct rs_error *err)
{
	if (count < *room)
		return RS_OK;
	size_t more = *room ? 2 * *room : 256, bytes;
	if (more > 2 * IMAGES_MAX || !rs_mul_size(more, size, &bytes))
		return rs_error_set(err, RS_TOO_LARGE, "more than %zu images", IMAGES_MAX);
	void *moved = rs_reallocate(*items, bytes);
	if (!moved)
		return rs_error_memory(err, bytes, "images");
	*items = moved;
	*room = more;
	return RS_OK;
}

/* What is no printable ASCII becomes '?': it goes to a terminal. */
static char *plain_text(struct rs_arena *arena, struct rs_str text)
{
	if (text.size > DESCRIPTION_MAX)
		text.size = DESCRIPTION_MAX;
	char *copy = arena_text(arena, text);
	for (char *c = copy; c && *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return copy;
}

static enum rs_code series_of(struct gathered *g, const struct rs_dicom *dicom,
                              const struct rs_dicom_metadata *m, size_t *out, struct rs_error *err)
{
	for (size_t i = 0; i < g->series_count; i++)
		if (rs_str_equal_text(m->series_instance_uid, g->series[i].uid)) {
			*out = i;
			return RS_OK;
		}
	void *items = g->series;
	enum rs_code code = make_room(&items, g->series_count, &g->series_room, sizeof *g->series, err);
	g->series = items;
	RS_TRY(code);
	struct gathered_series *series = &g->series[g->series_count];
	*series = (struct gathered_series){
		.uid = arena_text(g->arena, m->series_instance_uid),
		.description = plain_text(g->arena, m->series_description),
		.frame_of_reference = arena_text(g->arena, m->frame_of_reference_uid),
		.modality = plain_text(g->arena, m->modality)};
	if (!series->uid || !series->description || !series->frame_of_reference || !series->modality)
		return rs_error_memory(err, 256, "a series");
	if (!rs_dicom_int(rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x0020, 0x0011)), 0, &series->number))
		series->number = 0;
	*out = g->series_count++;
	return RS_OK;
}

/* One patient, one study: what does not belong together is not to be laid together. */
static enum rs_code check_study(struct gathered *g, const struct rs_dicom_metadata *m, struct rs_error *err)
{
	const struct {
		struct rs_str here;
		char *known;
		const char *what;
	} both[] = {{m->study_instance_uid, g->study, "studies"}, {m->patient_id, g->patient, "patients"}};
	for (size_t i = 0; i < RS_COUNT(both); i++) {
		size_t size = both[i].here.size < 64 ? both[i].here.size : 64;
		if (g->image_count == 0 && size > 0)
			memcpy(both[i].known, both[i].here.data, size);
		else if (!rs_str_equal_text((struct rs_str){both[i].here.data, size}, both[i].known))
			return rs_error_set(
				err, RS_UNSUPPORTED,
				"there are images of several %s; name a directory with the files of one",
				both[i].what);
	}
	return RS_OK;
}

static enum rs_code add_image(struct gathered *g, const struct facts_source *source,
                              const struct rs_dicom_metadata *m, const char *path, uint32_t frame,
                              size_t series, struct rs_error *err)
{
	void *items = g->images;
	enum rs_code code = make_room(&items, g->image_count, &g->image_room, sizeof *g->images, err);
	g->images = items;
	RS_TRY(code);
	struct image_facts *image = &g->images[g->image_count];
	*image = (struct image_facts){
		.path = path, .frame = frame, .rows = m->rows, .columns = m->columns, .series = series};
	facts_read(source, image);
	if (m->samples_per_pixel > 1)
		image->orientation[0] = NAN; /* a picture of something, no measurement */
	g->image_count++;
	return RS_OK;
}

static enum rs_code add_images(struct gathered *g, const struct rs_dicom *dicom,
                               const struct rs_dicom_metadata *m, const char *path, struct rs_error *err)
{
	const struct rs_dicom_element *shared = rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x5200, 0x9229)),
				      *frames = rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x5200, 0x9230));
	struct facts_source source = {.dicom = dicom,
	                              .shared = shared ? rs_dicom_item(dicom, shared, 0) : NULL};
	size_t series = 0;
	RS_TRY(check_study(g, m, err));
	RS_TRY(series_of(g, dicom, m, &series, err));
	const char *kept = arena_text(g->arena, rs_str_from(path));
	if (!kept)
		return rs_error_memory(err, strlen(path), "a path");
	g->files++;
	if (!frames || !frames->has_children)
		return add_image(g, &source, m, kept, 0, series, err);
	uint32_t frame = 0, end = frames->next;
	for (uint32_t i = (uint32_t)(frames - dicom->elements) + 1; i < end; i = dicom->elements[i].next) {
		source.own = &dicom->elements[i];
		RS_TRY(add_image(g, &source, m, kept, frame++, series, err));
	}
	return RS_OK;
}

static bool is_image(const struct rs_dicom *dicom, const struct rs_dicom_metadata *m)
{
	return m->rows > 0 && m->columns > 0 && m->series_instance_uid.size > 0 &&
	       rs_dicom_find(dicom, NULL, RS_DICOM_TAG(0x0028, 0x0100)) != NULL;
}

static enum rs_code read_file(struct walk *walk, const char *path, struct rs_error *err)
{
	struct rs_buffer file RS_CLEANUP(rs_buffer_finish) = {0};
	struct rs_dicom dicom RS_CLEANUP(rs_dicom_finish) = {0};
	struct rs_dicom_metadata m;
	RS_TRY(rs_file_read_all(walk->world, path, FILE_MAX, &file, err));
	struct rs_bytes bytes = rs_buffer_bytes(&file);
	if (!rs_dicom_begins(rs_bytes_of(bytes.data, bytes.size < 132 ? bytes.size : 132))) {
		walk->gathered->passed_over++;
		return RS_OK;
	}
	RS_TRY(rs_dicom_parse_header(bytes, &dicom, err));
	RS_TRY(rs_dicom_metadata(&dicom, &m, err));
	if (!is_image(&dicom, &m)) {
		walk->gathered->passed_over++;
		return RS_OK;
	}
	return add_images(walk->gathered, &dicom, &m, path, err);
}

/* A broken file fails alone. */
static enum rs_code visit_file(struct walk *walk, const char *path, struct rs_error *err)
{
	struct rs_error own = {0};
	enum rs_code code = read_file(walk, path, &own);
	if (code == RS_MALFORMED || code == RS_DENIED || code == RS_IO || code == RS_TOO_LARGE) {
		walk->gathered->passed_over++;
		rs_buffer_printf(walk->gathered->complaints, "%s: %s\n", rs_path_name(path), own.message);
		return RS_OK;
	}
	if (code != RS_OK && err)
		*err = own;
	return code;
}

static enum rs_code visit(void *context, struct rs_str name, enum rs_file_kind kind, struct rs_error *err)
{
	struct walk *walk = context;
	char *path RS_CLEANUP(rs_free_pointer) = rs_text_printf("%s/" RS_STR_FORMAT, walk->directory,
	                                                        RS_STR_ARGUMENTS(name));
	if (!path)
		return rs_error_memory(err, name.size, "a path");
	if (kind == RS_FILE_REGULAR)
		return visit_file(walk, path, err);
	if (kind != RS_FILE_DIRECTORY)
		return RS_OK;
	if (walk->depth == DEPTH_MAX)
		return rs_error_set(err, RS_TOO_LARGE, "%s: directories are more than %d deep", path,
		                    DEPTH_MAX);
	struct walk below = {walk->world, path, walk->gathered, walk->depth + 1};
	return walk->world->files->list(walk->world->files, path, visit, &below, err);
}

static int by_series(const void *a, const void *b)
{
	const struct image_facts *x = a, *y = b;
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	int order = strcmp(x->path, y->path);
	return order ? order : (x->frame > y->frame) - (x->frame < y->frame);
}

enum rs_code gather(const struct rs_world *world, const char *directory, struct gathered *out,
                    struct rs_error *err)
{
	struct walk walk = {world, directory, out, 0};
	struct rs_file_stat status;
	RS_TRY(world->files->stat(world->files, directory, &status, err));
	if (status.kind != RS_FILE_DIRECTORY)
		return rs_error_set(err, RS_UNSUPPORTED, "is no directory with the files of a study");
	RS_TRY(world->files->list(world->files, directory, visit, &walk, err));
	if (out->image_count == 0)
		return rs_error_set(err, RS_NOT_FOUND, "there is no DICOM image below it (%zu other files)",
		                    out->passed_over);
	qsort(out->images, out->image_count, sizeof *out->images, by_series);
	for (size_t i = 0; i < out->image_count; i++) {
		struct gathered_series *series = &out->series[out->images[i].series];
		if (series->count++ == 0)
			series->first = i;
	}
	return RS_OK;
}
