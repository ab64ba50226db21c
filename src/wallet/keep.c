#include "keep.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../jose/seal.h"

bool
wallet_keep_open(const char *path, int *file, WalletFailure *failure)
{
	*file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (*file >= 0)
		return true;
	if (errno == EEXIST)
		return wallet_fail(failure, WALLET_EXIT_USAGE, "%s exists already; --save makes a new file",
						   path);
	return wallet_fail(failure, WALLET_EXIT_INTERNAL, "%s cannot be created: %s", path,
					   strerror(errno));
}

/* The file's text, malloc'd; NULL when memory is out. */
static char *
file_text(const WalletResult *result)
{
	VciJson *object = vci_json_new_object();
	char *text = NULL;

	if (object != NULL &&
		vci_json_set_string(object, "credential_issuer", result->issuer->identifier) &&
		vci_json_set_string(object, "credential_configuration_id", result->configuration->id) &&
		vci_json_set_string(object, "format", result->credential->format) &&
		vci_json_set_string(object, "credential", result->credential->text) &&
		vci_json_set(object, "holder_key", vci_key_private_jwk(result->holder->key)))
		text = vci_json_print(object);
	vci_json_free(object);
	return text;
}

static bool
write_all(int file, const char *text, size_t len)
{
	while (len > 0)
	{
		ssize_t written = write(file, text, len);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0)
		{
			text += written;
			len -= (size_t) written;
		}
	}
	return true;
}

bool
wallet_keep_write(const char *path, int file, const WalletResult *result, WalletFailure *failure)
{
	char *text = file_text(result);
	size_t len = text == NULL ? 0 : strlen(text);
	bool written;
	int reason;

	if (text == NULL)
	{
		wallet_keep_drop(path, file);
		return wallet_fail_memory(failure);
	}
	written = write_all(file, text, len) && write_all(file, "\n", 1) && fsync(file) == 0;
	reason = errno;
	vci_wipe(text, len);
	free(text);
	if (written)
	{
		close(file);
		return true;
	}
	wallet_keep_drop(path, file);
	return wallet_fail(failure, WALLET_EXIT_INTERNAL, "%s cannot be written: %s", path,
					   strerror(reason));
}

void
wallet_keep_drop(const char *path, int file)
{
	close(file);
	unlink(path);
}
