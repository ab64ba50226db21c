# Shell functions for a Debian in a folder of its own, which test/versions and test/odoo make
# with mmdebstrap. Source it from bash.

cache=/var/cache/openid4vci

# The mirror that the machine's own apt uses for its release.
mirror()
{
	. /etc/os-release
	[ "$ID" = debian ] || return 1
	apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' 'Component: main' \
		"Codename: $VERSION_CODENAME" 'Origin: Debian' | head -n 1 | grep .
}

# reachable MIRROR RELEASE
reachable()
{
	local file
	file=$(mktemp /tmp/openid4vci-release.XXXXXX)
	/usr/lib/apt/apt-helper download-file "${1%/}/dists/$2/Release" "$file" >/dev/null 2>&1 ||
		{ rm -f "$file"; return 1; }
	rm -f "$file"
}

# bootstrap ARGUMENTS...: mmdebstrap by way of the machine's own proxy, if it has one. What it
# mounts is seen by its own processes alone, and goes with them.
bootstrap()
{
	local apart=(unshare --mount) options=() key value
	for key in Acquire::http::Proxy Acquire::https::Proxy
	do
		value=
		eval "$(apt-config shell value "$key")"
		[ -z "$value" ] || options+=(--aptopt="$key \"$value\"")
	done
	unshare --mount true 2>/dev/null || apart=(env)
	"${apart[@]}" mmdebstrap --mode=root --variant=apt \
		--aptopt='Acquire::Check-Valid-Until "false"' "${options[@]}" "$@"
}
