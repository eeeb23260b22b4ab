/* The ground floor: errors, memory, text, canonical encoding, the outside world
 * (clock, random, files), threads, structured log and progress. Every other
 * module includes this one header. */
#ifndef RS_BASE_H
#define RS_BASE_H

#include "base/base_error.h"
#include "base/base_memory.h"
#include "base/base_text.h"
#include "base/base_buffer.h"
#include "base/base_world.h"
#include "base/base_cbor.h"
#include "base/base_csv.h"
#include "base/base_json.h"
#include "base/base_threads.h"
#include "base/base_log.h"
#include "base/base_progress.h"

#endif
