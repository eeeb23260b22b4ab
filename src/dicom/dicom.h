/* DICOM data sets and Part 10 files: strict, bounded, bit-preserving reading and writing.
 * Views borrow the caller's file bytes (or, for deflated files, memory of the parsed object). */
#ifndef RS_DICOM_H
#define RS_DICOM_H

#include "base/base.h"
#include "codec/codec.h"

#define RS_DICOM_DEPTH_MAX 64
#define RS_DICOM_ELEMENTS_MAX ((size_t)4 << 20)
#define RS_DICOM_INFLATED_MAX ((size_t)1 << 30)
#define RS_DICOM_UNDEFINED UINT32_MAX
#define RS_DICOM_NONE UINT32_MAX
#define RS_DICOM_TAG(group, element) (((uint32_t)(group) << 16) | (uint32_t)(element))
#define RS_DICOM_ITEM RS_DICOM_TAG(0xFFFE, 0xE000)
#define RS_DICOM_PIXEL_DATA RS_DICOM_TAG(0x7FE0, 0x0010)

enum rs_dicom_encoding {
	RS_DICOM_IMPLICIT_LE,
	RS_DICOM_EXPLICIT_LE,
	RS_DICOM_EXPLICIT_BE,
	RS_DICOM_DEFLATED_LE
};
/* What a file broke and was accepted with nevertheless. */
enum {
	RS_DICOM_NO_PREAMBLE = 1,
	RS_DICOM_NO_META = 2,
	RS_DICOM_GROUP_LENGTH_LIES = 4,
	RS_DICOM_ODD_LENGTH = 8,
	RS_DICOM_GUESSED_ENCODING = 16,
	RS_DICOM_BLANK_VR = 32,     /* a VR of two spaces */
	RS_DICOM_ITEM_TOO_LONG = 64 /* an item that claims more than its sequence has */
};

/* One element, item or fragment. Flat in file order: the children of elements[i] are
 * elements[i+1 .. next-1]. A sequence's children are items (tag FFFE,E000), an item's its
 * elements; encapsulated pixel data's are fragments, the first of which is the offset table. */
struct rs_dicom_element {
	uint32_t tag;
	char vr[3];            /* of the file, or of the dictionary when implicit; "" for items */
	uint8_t depth;         /* 0 for the data set and meta group, +1 per sequence and item */
	bool has_children;     /* sequence, item of a sequence, or encapsulated pixel data */
	uint8_t encoding;      /* enum rs_dicom_encoding of this element's own bytes */
	uint16_t reserved;     /* the two bytes of a long explicit header, as read */
	uint32_t length;       /* as stored; RS_DICOM_UNDEFINED stays so */
	uint32_t parent;       /* index, RS_DICOM_NONE at the top */
	uint32_t next;         /* index of the first element after this one and its children */
	uint64_t offset;       /* of the tag, in the (inflated) file */
	struct rs_bytes value; /* stored bytes; for elements with children, the whole of them */
};

struct rs_dicom {
	struct rs_bytes preamble; /* 128 bytes, or empty */
	struct rs_dicom_element *elements;
	size_t count;
	size_t meta_count;               /* the first meta_count belong to group 0002 */
	enum rs_dicom_encoding encoding; /* of the data set */
	char transfer_syntax[65];
	unsigned warnings;
	struct rs_bytes bytes;    /* what offsets refer to */
	struct rs_bytes deflated; /* the stored data set of a deflated file */
	uint8_t *inflated;        /* owned */
	struct rs_arena kept;     /* values of a scanned file */
	size_t capacity;
};

/* Whether a file with these first bytes (132 suffice) may be DICOM: the prefix, or, in files without one, an element
 * that data sets begin with. */
bool rs_dicom_begins(struct rs_bytes start);
/* Parses a whole file; `file` must outlive *out.
 * errors  RS_MALFORMED naming tag and offset, RS_TOO_LARGE, RS_UNSUPPORTED, RS_NO_MEMORY */
enum rs_code rs_dicom_parse(struct rs_bytes file, struct rs_dicom *out, struct rs_error *err);
/* As above, but stops before the pixel data (group 7FE0); for sealing and sorting. `file` may be
 * cut off anywhere after the pixel data's tag. */
enum rs_code rs_dicom_parse_header(struct rs_bytes file, struct rs_dicom *out, struct rs_error *err);
/* As above, but of the preamble and the meta group alone; *out_begin is where the data set begins. `start` may be cut off
 * anywhere behind that. */
enum rs_code rs_dicom_parse_front(struct rs_bytes start, struct rs_dicom *out, size_t *out_begin,
                                  struct rs_error *err);
/* A file that is not in memory. read gives exactly `size` bytes, which lie in the file; offsets only grow. */
struct rs_dicom_source {
	uint64_t size;
	enum rs_code (*read)(void *context, uint64_t offset, void *out, size_t size, struct rs_error *err);
	void *context;
};
/* As rs_dicom_parse(), and as strict, in memory that does not grow with the file: only the elements of the top level stay,
 * and their values as long as they are short; what rs_dicom_metadata() reads is among them. Not for writing, nor pixels. */
enum rs_code rs_dicom_scan(const struct rs_dicom_source *source, struct rs_dicom *out, struct rs_error *err);
void rs_dicom_finish(struct rs_dicom *dicom); /* accepts NULL and zeroed memory */

/* The element `tag` among the children of `parent` (NULL: top level); NULL when absent. */
const struct rs_dicom_element *rs_dicom_find(const struct rs_dicom *dicom,
                                             const struct rs_dicom_element *parent, uint32_t tag);
/* The index-th child of a sequence or of encapsulated pixel data; NULL when there are fewer. */
const struct rs_dicom_element *rs_dicom_item(const struct rs_dicom *dicom,
                                             const struct rs_dicom_element *sequence, size_t index);
size_t rs_dicom_item_count(const struct rs_dicom *dicom, const struct rs_dicom_element *sequence);

/* Values. `index` counts components of a multi-valued element. False when absent or not such a
 * number; element may be NULL. */
size_t rs_dicom_multiplicity(const struct rs_dicom_element *element);
struct rs_str rs_dicom_text(const struct rs_dicom_element *element, size_t index); /* trimmed, raw */
bool rs_dicom_int(const struct rs_dicom_element *element, size_t index, int64_t *out);
bool rs_dicom_double(const struct rs_dicom_element *element, size_t index, double *out);
/* The first `count` numbers of an element in one walk; false when there are fewer, or one is none. */
bool rs_dicom_doubles(const struct rs_dicom_element *element, size_t count, double *out);
bool rs_dicom_uid_valid(struct rs_str uid); /* PS3.5 section 9.1 */

/* Text as UTF-8. The character set is that of SpecificCharacterSet in the item around the element, or else in what
 * is around that; `element` NULL asks for the data set's own. All sets of PS3.3 C.12.1.1.2 with code extensions.
 * errors  RS_UNSUPPORTED for a term that is none of DICOM's */
struct rs_dicom_charset {
	uint8_t row;
};
enum rs_code rs_dicom_charset_of(const struct rs_dicom *dicom, const struct rs_dicom_element *element,
                                 struct rs_dicom_charset *out, struct rs_error *err);
/* Appends component `index`, trimmed, to `out`; nothing when there are fewer. Bytes that are no character of the set
 * become U+FFFD and are counted in *out_replaced (may be NULL). VRs that the set does not affect are ASCII. A
 * backslash within a character of two bytes parts no components here, as it does in rs_dicom_text.
 * errors  RS_TOO_LARGE, RS_NO_MEMORY of `out` */
enum rs_code rs_dicom_text_utf8(const struct rs_dicom_charset *charset,
                                const struct rs_dicom_element *element, size_t index, struct rs_buffer *out,
                                size_t *out_replaced, struct rs_error *err);

/* What sealing and series building need. No patient name. Texts are views, trimmed, empty when
 * absent; numbers absent have their bit in `present` cleared and the value 0. */
enum {
	RS_DICOM_HAS_POSITION = 1,
	RS_DICOM_HAS_ORIENTATION = 2,
	RS_DICOM_HAS_SPACING = 4,
	RS_DICOM_HAS_THICKNESS = 8,
	RS_DICOM_HAS_BETWEEN = 16,
	RS_DICOM_HAS_RESCALE = 32,
	RS_DICOM_HAS_INSTANCE = 64,
	RS_DICOM_HAS_PIXELS = 128
};
struct rs_dicom_metadata {
	struct rs_str patient_id, issuer_of_patient_id, study_instance_uid, series_instance_uid,
		sop_instance_uid, sop_class_uid, transfer_syntax_uid, frame_of_reference_uid, modality,
		photometric_interpretation, manufacturer, series_description, study_date, units;
	uint32_t rows, columns, number_of_frames, samples_per_pixel, planar_configuration;
	uint32_t bits_allocated, bits_stored, high_bit, pixel_representation;
	double image_position_mm[3], image_orientation[6], pixel_spacing_mm[2]; /* row, column spacing */
	double slice_thickness_mm, spacing_between_slices_mm, rescale_slope, rescale_intercept;
	int64_t instance_number;
	unsigned present;
};
/* errors  RS_MALFORMED when a number that is present cannot be read or a UID is not one */
enum rs_code rs_dicom_metadata(const struct rs_dicom *dicom, struct rs_dicom_metadata *out,
                               struct rs_error *err);

/* Stored values (before rescale) of one frame as doubles, [row][column][sample]; out_count must be
 * rows*columns*samples. Native 1/8/16/32/64-bit, float and double, and what rs_codec_decodes().
 * errors  RS_UNSUPPORTED with a sentence that names the syntax and what to do; those of rs_codec_decode() */
enum rs_code rs_dicom_pixels(const struct rs_dicom *dicom, size_t frame, double *out, size_t out_count,
                             struct rs_error *err);

/* One frame of Pixel Data, decoded: rows of pixels, their samples side by side, little-endian, chrominance as fine as
 * luminance; of 1, 8, 16 or 32 bits allocated. What a compressed frame says of its bits goes before the header. */
struct rs_dicom_frame {
	struct rs_codec_shape shape;
	uint32_t high_bit;
	struct rs_str
		photometric_interpretation; /* of `pixels`: a decoder may have made RGB of the header's */
	uint8_t *pixels;
	size_t size;
};
enum rs_code rs_dicom_frame_read(const struct rs_dicom *dicom, size_t frame, struct rs_dicom_frame *out,
                                 struct rs_error *err);
void rs_dicom_frame_finish(struct rs_dicom_frame *frame); /* accepts zeroed memory */
/* The bytes that the file has of one frame: of native data a part of it, else the frame's compressed stream. A view, or in
 * `joined` (init'ed here, finish it) when several fragments make the frame. Frames are found by the offset tables
 * (PS3.5 section A.4, PS3.3 C.7.6.3.1.8), by one fragment each, or by where streams begin.
 * errors  RS_NOT_FOUND, RS_MALFORMED, RS_UNSUPPORTED: native frames that do not begin at a byte */
enum rs_code rs_dicom_frame_stored(const struct rs_dicom *dicom, size_t frame, struct rs_buffer *joined,
                                   struct rs_bytes *out, struct rs_error *err);

/* Writes the file back. An unmodified parse gives identical bytes. */
enum rs_code rs_dicom_write(const struct rs_dicom *dicom, struct rs_buffer *out, struct rs_error *err);

/* Builds a file. Elements are added in ascending tag order per level; texts are padded. Errors are
 * remembered and told by finish. */
struct rs_dicom_builder {
	struct rs_buffer body;
	enum rs_dicom_encoding encoding;
	size_t open[RS_DICOM_DEPTH_MAX]; /* where the lengths of open sequences and items stand */
	uint32_t last_tag[RS_DICOM_DEPTH_MAX + 1];
	size_t depth;
	struct rs_error failure;
};
void rs_dicom_builder_init(struct rs_dicom_builder *builder, enum rs_dicom_encoding encoding, size_t maximum);
void rs_dicom_builder_finish(struct rs_dicom_builder *builder); /* accepts NULL and zeroed memory */
/* Any VR, value as stored (already in the encoding's byte order). */
void rs_dicom_builder_bytes(struct rs_dicom_builder *builder, uint32_t tag, const char *vr,
                            struct rs_bytes value);
void rs_dicom_builder_text(struct rs_dicom_builder *builder, uint32_t tag, const char *vr, const char *text);
void rs_dicom_builder_u16(struct rs_dicom_builder *builder, uint32_t tag, uint16_t value);
void rs_dicom_builder_words(struct rs_dicom_builder *builder, uint32_t tag, const char *vr,
                            const uint16_t *words, size_t count);            /* OW, US, SS */
void rs_dicom_builder_begin(struct rs_dicom_builder *builder, uint32_t tag); /* SQ, or RS_DICOM_ITEM */
void rs_dicom_builder_end(struct rs_dicom_builder *builder);
/* Preamble and meta group (PS3.10 section 7.1), appended. implementation_uid: NULL to leave it out. */
enum rs_code rs_dicom_put_meta(const char *sop_class_uid, const char *sop_instance_uid,
                               const char *transfer_syntax_uid, const char *implementation_uid,
                               struct rs_buffer *out, struct rs_error *err);
/* The Part 10 file: preamble, meta group made from SOPClassUID and SOPInstanceUID given here. */
enum rs_code rs_dicom_builder_file(struct rs_dicom_builder *builder, const char *sop_class_uid,
                                   const char *sop_instance_uid, struct rs_buffer *out, struct rs_error *err);

/* UIDs of our own: 2.25 and a number of 128 bits (PS3.5 section B.2), of these bytes, or of random ones. */
void rs_dicom_uid_of(const uint8_t bytes[static 16], char out[static 65]);
enum rs_code rs_dicom_uid_random(const struct rs_world *world, char out[static 65], struct rs_error *err);

/* Dictionary (PS3.6), generated. NULL when unknown. */
struct rs_dicom_entry {
	uint32_t tag;
	char vr[3];
	const char *multiplicity;
	const char *keyword;
};
const struct rs_dicom_entry *rs_dicom_lookup(uint32_t tag);
const struct rs_dicom_entry *rs_dicom_lookup_keyword(struct rs_str keyword); /* "PatientID" */
const char *rs_dicom_uid_name(struct rs_str uid);

#endif
