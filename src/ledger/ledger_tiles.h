/* The log as static files (C2SP tlog-tiles): /checkpoint, /tile/<level>/<number>[.p/<width>], /tile/entries/<number>[.p/<width>],
 * for any web server, mirror, or client of such logs. */
#ifndef RS_LEDGER_TILES_H
#define RS_LEDGER_TILES_H

#include "ledger/ledger.h"

#define RS_TILE_WIDTH 256

/* Writes what is new since the checkpoint that lies in the directory, and the checkpoint at last: who reads meanwhile finds
 * everything that the checkpoint he has is about. A run that was interrupted is made good by the next one. Old partial tiles
 * stay: somebody may be reading them. *out_files: how many were written.
 * errors  RS_ALTERED: the checkpoint there is not one of this log, or of more than it has */
enum rs_code rs_ledger_write_tiles(struct rs_ledger *ledger, const struct rs_world *world,
                                   const char *directory, uint64_t *out_files, struct rs_error *err);
/* "tile/0/x001/x234/067", and ".p/" and its width when that is less than RS_TILE_WIDTH. kind: a level, or "entries". */
#define RS_TILE_PATH_SIZE 96
void rs_tile_path(const char *kind, uint64_t number, unsigned width, char out[static RS_TILE_PATH_SIZE]);
/* Whether this is the path of such a file, as a client asks for it: "/tile/0/x001/234.p/7". */
bool rs_tile_path_valid(struct rs_str path);

#endif
