/* Answers of several parts. */
#ifndef RS_WEB_PARTS_H
#define RS_WEB_PARTS_H

#include "service.h"

#define BOUNDARY_SIZE 33
#define PART_HEAD_SIZE 256

/* A new one, which no content can know. */
enum rs_code boundary_make(char out[static BOUNDARY_SIZE], struct rs_error *err);
/* The lines before a part, and those after the last one. syntax: "" for none. Their sizes are returned. */
size_t boundary_begin(const char *boundary, const char *type, const char *syntax,
                      char out[static PART_HEAD_SIZE]);
size_t boundary_end(const char *boundary, char out[static PART_HEAD_SIZE]);
/* The answer's media type. */
void boundary_media(struct request *request, const char *boundary, const char *type);

#endif
