#include "compat.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "miscadmin.h"
#include "storage/fd.h"

#include "release.h"
#include "report.h"
#include "root_key.h"

#define ROOT_KEY_FILE_MAX 4096

char *vci_root_key_file = NULL;

#define ROOT_KEY_HINT                                                                              \
	"As root: install -d -m 0755 /etc/openid4vci && openssl rand -hex 32 | install -m 0400 -o "    \
	"postgres /dev/stdin /etc/openid4vci/root.key. Another place: LOAD 'openid4vci'; ALTER "       \
	"SYSTEM SET openid4vci.root_key_file = '/path/to/file'; SELECT pg_reload_conf();"

/* A key beside the data it protects would travel with every base backup. */
static bool
inside_data_directory(const char *path)
{
	char file[PATH_MAX];
	char data[PATH_MAX];
	size_t len;

	if (realpath(path, file) == NULL || realpath(DataDir, data) == NULL)
		return false;
	len = strlen(data);
	return strncmp(file, data, len) == 0 && (file[len] == '/' || file[len] == '\0');
}

static char *
file_problem(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return "it is not a regular file";
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return "it must belong to the server's user or to root";
	if (st.st_mode & (st.st_uid == 0 ? S_IWGRP | S_IRWXO : S_IRWXG | S_IRWXO))
		return "group or others may read or write it; chmod 0400 makes it private";
	if (st.st_size > ROOT_KEY_FILE_MAX)
		return "it is larger than 4 kB";
	return NULL;
}

/* Fills buffer; NULL when it went well, else what is wrong with the file. */
static char *
read_file(VciSensitiveBytes *buffer)
{
	char *problem;
	ssize_t got;
	int fd;

	if (vci_root_key_file == NULL || vci_root_key_file[0] != '/')
		return "the setting must be an absolute path";
	fd = OpenTransientFile(vci_root_key_file, O_RDONLY | PG_BINARY | O_NONBLOCK);
	if (fd < 0)
		return psprintf("it can't be read: %s", strerror(errno));
	problem = file_problem(fd);
	if (problem == NULL && inside_data_directory(vci_root_key_file))
		problem = "it lies inside the data directory, where every backup would carry it along";
	if (problem == NULL)
	{
		buffer->data = malloc(ROOT_KEY_FILE_MAX);
		vci_require_memory(buffer->data);
		buffer->len = ROOT_KEY_FILE_MAX;
		got = read(fd, buffer->data, ROOT_KEY_FILE_MAX);
		if (got < 0)
			problem = psprintf("it can't be read: %s", strerror(errno));
		else
			memset(buffer->data + got, '\n', ROOT_KEY_FILE_MAX - got);
	}
	CloseTransientFile(fd);
	return problem;
}

/* NULL when keys were read, else what is wrong, in plain words. */
static char *
read_keys(VciRootKeys *keys)
{
	VciSensitiveBytes *buffer = vci_own_sensitive();
	VciError error = VCI_ERROR_INIT;
	char *problem = read_file(buffer);

	if (problem != NULL)
		return problem;
	if (vci_root_keys_parse((char *) buffer->data, buffer->len, keys, &error) != VCI_OK)
		problem = pstrdup(error.text);
	vci_wipe(buffer->data, buffer->len);
	return problem;
}

void
vci_root_keys_read(VciRootKeys *keys)
{
	char *problem = read_keys(keys);

	if (problem != NULL)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
						errmsg("there is no usable root key"),
						errdetail("openid4vci.root_key_file: %s.", problem),
						errhint("%s", ROOT_KEY_HINT)));
}

bool
vci_root_keys_usable(char **problem)
{
	VciRootKeys keys;

	*problem = read_keys(&keys);
	vci_wipe(&keys, sizeof(keys));
	return *problem == NULL;
}

/* Associated data: a sealed value opens only in the place that it was sealed for. */
static char *
associated_data(const char *what, int64 owner)
{
	return psprintf("openid4vci %s %lld", what, (long long) owner);
}

bytea *
vci_root_seal(const char *what, int64 owner, const void *plain, size_t len, char **root_key_id)
{
	VciSensitiveBytes *sealed = vci_own_sensitive();
	char *associated = associated_data(what, owner);
	VciError error = VCI_ERROR_INIT;
	VciRootKeys keys;
	VciStatus status;
	bytea *result;

	vci_root_keys_read(&keys);
	status = vci_seal(&keys.keys[0].secret, associated, strlen(associated), plain, len,
					  &sealed->data, &sealed->len, &error);
	*root_key_id = pstrdup(keys.keys[0].id);
	vci_wipe(&keys, sizeof(keys));
	vci_require(status, &error);
	result = palloc(sealed->len + VARHDRSZ);
	SET_VARSIZE(result, sealed->len + VARHDRSZ);
	memcpy(VARDATA(result), sealed->data, sealed->len);
	return result;
}

void
vci_root_unseal(const char *what, int64 owner, const bytea *sealed, const char *root_key_id,
				const unsigned char **plain, size_t *len)
{
	VciSensitiveBytes *opened = vci_own_sensitive();
	char *associated = associated_data(what, owner);
	VciError error = VCI_ERROR_INIT;
	VciRootKeys keys;
	const VciRootKey *key;
	VciStatus status = VCI_OK;

	vci_root_keys_read(&keys);
	key = vci_root_keys_find(&keys, root_key_id);
	if (key != NULL)
		status = vci_unseal(&key->secret, associated, strlen(associated),
							(const unsigned char *) VARDATA_ANY(sealed), VARSIZE_ANY_EXHDR(sealed),
							&opened->data, &opened->len, &error);
	vci_wipe(&keys, sizeof(keys));
	if (key == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("the root key that sealed this %s is not there", what),
				 errdetail("It was sealed under root key %s.", root_key_id),
				 errhint("Add that key as a further line to the file that "
						 "openid4vci.root_key_file names; the first line seals, all lines open.")));
	vci_require(status, &error);
	*plain = opened->data;
	*len = opened->len;
}
