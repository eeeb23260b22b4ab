/* What the files of dicom share among themselves. */
#ifndef RS_DICOM_PRIVATE_H
#define RS_DICOM_PRIVATE_H

#include "dicom/dicom.h"

#define DELIMITER_ITEM RS_DICOM_TAG(0xFFFE, 0xE00D)
#define DELIMITER_SEQUENCE RS_DICOM_TAG(0xFFFE, 0xE0DD)

struct rs_dicom_uid {
	const char *uid;
	const char *name;
};
extern const struct rs_dicom_entry rs_dicom_entries[]; /* sorted by tag */
extern const size_t rs_dicom_entry_count;
extern const struct rs_dicom_uid rs_dicom_uids[]; /* sorted by strcmp */
extern const size_t rs_dicom_uid_count;

/* The part of a scanned file that is looked at (scan.c); offsets only grow. */
#define DICOM_WINDOW_SIZE ((size_t)4096)
#define DICOM_KEPT_MAX 65536 /* bytes of one value that is kept */
#define DICOM_KEPT_TOTAL_MAX ((size_t)16 << 20)
#define DICOM_KEPT_COUNT_MAX ((size_t)1 << 16) /* elements of the top level, and depth below it */
#define DICOM_SCANNED_MAX ((uint64_t)1 << 50)
struct dicom_inflater;
struct dicom_window {
	const struct rs_dicom_source *source;
	struct dicom_inflater *inflater; /* owned; when the data set is deflated */
	uint8_t *bytes;                  /* owned; DICOM_WINDOW_SIZE */
	uint64_t start, size, end; /* size bytes of the file from start on are here; the file ends at `end` */
};
enum rs_code dicom_window_init(struct dicom_window *window, struct rs_error *err);
void dicom_window_finish(struct dicom_window *window);
enum rs_code dicom_window_look(struct dicom_window *window, uint64_t pos, size_t size, const uint8_t **out,
                               struct rs_error *err);
/* A copy of a value in the arena. */
enum rs_code dicom_window_keep(struct dicom_window *window, uint64_t pos, size_t size, struct rs_arena *arena,
                               struct rs_bytes *out, struct rs_error *err);
/* From now on the window shows what the bytes from `pos` on inflate to, from 0 on. */
enum rs_code dicom_window_inflate(struct dicom_window *window, uint64_t pos, size_t *out_size,
                                  struct rs_error *err);

bool rs_dicom_vr_is_short(const char *vr);
bool rs_dicom_vr_has_one_value(const char *vr); /* text in which a backslash is a character */
/* The element's VR, or the dictionary's where it was stored as unknown (UN, blank). */
const char *rs_dicom_meant_vr(const struct rs_dicom_element *element);
/* Of *out only what describes the pixels: a file with a wrong UID or position has pixels nevertheless. */
enum rs_code rs_dicom_pixel_description(const struct rs_dicom *dicom, struct rs_dicom_metadata *out,
                                        struct rs_error *err);
/* Whether frame `frame` of out_count values may be there. */
enum rs_code dicom_check_layout(const struct rs_dicom_metadata *m, size_t frame, size_t out_count,
                                struct rs_error *err);
/* A frame of native Pixel Data as struct rs_dicom_frame has it; out is zeroed. Up to 32 bits. */
enum rs_code dicom_frame_native(const struct rs_dicom_element *element, const struct rs_dicom_metadata *m,
                                size_t frame, uint8_t *out, struct rs_error *err);
void rs_dicom_put_header(struct rs_buffer *out, const struct rs_dicom_element *element);

#endif
