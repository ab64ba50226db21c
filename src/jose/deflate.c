#include "deflate.h"

#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#define GZIP_WINDOW	 16 /* zlib.h: added to the window's bits for a gzip wrapper */
#define MEMORY_LEVEL 9

/*
 * Z_RLE: among single bits in many zeros, longer matches are hardly worth their codes. Measured
 * on a million entries of which 1 % (5 %) are set: 15.6 kB in 1.3 ms (43.4 kB in 2.8 ms), where
 * the default strategy makes 14.6 kB in 102 ms (47.1 kB in 220 ms).
 */
#define STRATEGY Z_RLE

static VciStatus
compress_all(z_stream *stream, const void *data, size_t len, unsigned char **out, size_t *out_len,
			 VciError *error)
{
	uLong bound = deflateBound(stream, (uLong) len);
	int result;

	if (bound > UINT_MAX)
		return vci_error(error, VCI_ERR_TOO_LARGE, "%zu bytes are too many to compress", len);
	*out = malloc(bound);
	if (*out == NULL)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	stream->next_in = (Bytef *) data;
	stream->avail_in = (uInt) len;
	stream->next_out = *out;
	stream->avail_out = (uInt) bound;
	result = deflate(stream, Z_FINISH);
	if (result != Z_STREAM_END)
	{
		free(*out);
		*out = NULL;
		return vci_error(error, VCI_ERR_INTERNAL, "compressing failed with code %d", result);
	}
	*out_len = stream->total_out;
	return VCI_OK;
}

VciStatus
vci_deflate(VciDeflateFormat format, const void *data, size_t len, unsigned char **out,
			size_t *out_len, VciError *error)
{
	z_stream stream = {0};
	int window = format == VCI_DEFLATE_GZIP ? MAX_WBITS + GZIP_WINDOW : MAX_WBITS;
	VciStatus status;

	*out = NULL;
	*out_len = 0;
	if (len > UINT_MAX)
		return vci_error(error, VCI_ERR_TOO_LARGE, "%zu bytes are too many to compress", len);
	if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, window, MEMORY_LEVEL, STRATEGY) !=
		Z_OK)
		return vci_error(error, VCI_ERR_MEMORY, "out of memory");
	status = compress_all(&stream, data, len, out, out_len, error);
	(void) deflateEnd(&stream);
	return status;
}
