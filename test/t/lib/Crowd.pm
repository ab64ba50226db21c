# Wallets in processes of their own, which redeem offers through a proxy and go on whatever
# happens to the server, and a journal of each answer that one of them saw.
#
#   my $crowd = Crowd->start($issuer, $proxy, $dir, 4);
#   $crowd->give(20);
#   $crowd->await_credentials(10);
#   is(Crowd::lost($issuer, $crowd->seen), '', 'what a wallet saw is there');
#   $crowd->finish;
#
# A wallet redeems the offer's code, refreshes the token, fetches a c_nonce and asks for a
# credential with an ES256 proof. What got no answer, or a 5xx, it sends again, the same bytes
# but for a fresh DPoP proof: every second wallet has a DPoP key.
package Crowd;

use strict;
use warnings;

use Fcntl qw(O_APPEND O_WRONLY);
use IO::Handle;
use JSON::PP;
use MIME::Base64 qw(decode_base64url);
use POSIX ();

use Flow;
use Issuer;
use ProxyClient;
use Wallet;

my $base = '/api/v1/openid4vci';
my $json = JSON::PP->new->canonical;
my @running;

# A test that dies leaves no wallet behind.
END
{
	my $status = $?;
	kill 'KILL', map { @{ $_->{pids} } } @running;
	$? = $status;
}

# What these wallets need of an issuer. A slow machine must outlast no lifetime.
sub prepare
{
	my ($issuer) = @_;
	$issuer->sql_as('registry', <<'SQL');
SELECT openid4vci.vci_alter_issuer('{"refresh_token_lifetime": 86400, "retry_window": 3600,
	"access_token_lifetime": 86400, "c_nonce_lifetime": 86400, "dpop_proof_max_age": 3600}');
SQL
	return;
}

sub start
{
	my ($class, $issuer, $proxy, $dir, $wallets) = @_;
	my $self = bless {
		issuer => $issuer,
		port => $proxy->{port},
		journal => "$dir/crowd" . @running . '.journal',
		seen => [],
		line => '',
		pids => [],
		doors => [],
		given => 0,
		offers => {}
	}, $class;
	push @running, $self;
	open $self->{book}, '+>', $self->{journal} or die "$self->{journal}: $!";
	$self->start_wallet($_ % 2) for 1 .. $wallets;
	return $self;
}

# A process that redeems the offers which it reads from its door, a line each.
sub start_wallet
{
	my ($self, $with_key) = @_;
	pipe(my $reader, my $writer) or die "pipe: $!";
	my $pid = fork() // die "fork: $!";
	if ($pid == 0)
	{
		close $writer;
		close $_ for @{ $self->{doors} };
		eval { $self->be_wallet($reader, $with_key); 1 } or $self->note(step => 'died', why => "$@");
		POSIX::_exit(0);
	}
	close $reader;
	$writer->autoflush(1);
	push @{ $self->{pids} }, $pid;
	push @{ $self->{doors} }, $writer;
	return;
}

# One line, appended by one write.
sub note
{
	my ($self, %entry) = @_;
	sysopen my $file, $self->{journal}, O_WRONLY | O_APPEND or die "journal: $!";
	syswrite $file, $json->encode(\%entry) . "\n" or die "journal: $!";
	close $file;
	return;
}

sub be_wallet
{
	my ($self, $offers, $with_key) = @_;
	my $key = Wallet->new_quick;
	my $flow = Flow->new($self->{issuer}, key => $with_key ? $key : undef);
	while (my $line = <$offers>)
	{
		my ($offer_id, $code) = split ' ', $line;
		$self->redeem($flow, $key, $offer_id, $code);
		$self->note(step => 'end', offer => $offer_id);
	}
	return;
}

# Asks until there is an answer that is no server's fault, and notes each.
sub insist
{
	my ($self, $offer_id, $step, $build) = @_;
	for (;;)
	{
		my $answer = eval { http_answer(http_ask(http_connect($self->{port}), $build->())) }
		  // { status => 0, headers => {}, json => {}, body => $@ };
		my %entry = (offer => $offer_id, step => $step, status => $answer->{status});
		if ($answer->{status} == 0 || $answer->{status} >= 500)
		{
			$self->note(%entry, retry_after => $answer->{headers}{'retry-after'},
				body => $answer->{body});
			select undef, undef, undef, 0.05;
			next;
		}
		$self->note(%entry, %{ essence($answer->{json}) });
		return $answer->{json};
	}
}

# What the tables must know of an answer; row ids, which tokens begin with (kind, id, ...).
sub essence
{
	my ($answer) = @_;
	my %essence = map { $_ => $answer->{$_} } grep { defined $answer->{$_} } 'error';
	$essence{token} = unpack 'x Q>', decode_base64url($answer->{access_token})
	  if defined $answer->{access_token};
	$essence{credentials} = scalar @{ $answer->{credentials} } if $answer->{credentials};
	return \%essence;
}

sub redeem
{
	my ($self, $flow, $key, $offer_id, $code) = @_;
	my $tokens = $self->insist($offer_id, 'redeem',
		sub { $flow->form_request('token', grant_type => $Issuer::grant,
			'pre-authorized_code' => $code) });
	# its first answer was lost; the registry opens such offers again
	return if !defined $tokens->{refresh_token};
	$tokens = $self->insist($offer_id, 'refresh',
		sub { $flow->form_request('token', grant_type => 'refresh_token',
			refresh_token => $tokens->{refresh_token}) });
	return if !defined $tokens->{access_token};
	my $nonce = $self->insist($offer_id, 'nonce', sub { ('POST', "$base/nonce", [], '') })->{c_nonce};
	my $proof = $key->proof(aud => $self->{issuer}{url}, nonce => $nonce);
	$self->insist($offer_id, 'credential',
		sub { $flow->json_request('credential', $tokens->{access_token},
			credential_configuration_id => 'Card', proofs => { jwt => [$proof] }) });
	return;
}

# Makes offers and hands them to the wallets.
sub give
{
	my ($self, $count) = @_;
	my $lines = $self->{issuer}->sql_as('registry', <<"SQL");
SELECT o.offer_id, o.credential_offer #>> '{grants,$Issuer::grant,pre-authorized_code}'
FROM generate_series(1, $count) AS i, LATERAL openid4vci.vci_create_offer('{Card}',
	claims => jsonb_build_object('name', 'Ann ' || i)) AS o
SQL
	$self->hand_out(map { [ split /\|/ ] } split /\n/, $lines);
	return;
}

# Sees to it that the wallets have so many offers to work on.
sub keep_busy
{
	my ($self, $wanted) = @_;
	my $missing = $wanted - $self->under_way;
	$self->give($missing) if $missing > 0;
	return;
}

# Hands out [offer id, code] pairs, to one wallet after the other.
sub hand_out
{
	my ($self, @offers) = @_;
	local $SIG{PIPE} = 'IGNORE';
	for my $offer (@offers)
	{
		my ($offer_id, $code) = @$offer;
		$self->{offers}{$offer_id} = $code;
		my $doors = $self->{doors};
		print { $doors->[ $self->{given}++ % @$doors ] } "$offer_id $code\n";
	}
	return;
}

# Every offer whose code was used up by a request that got no answer is opened again and
# handed out: what a registry does when the beneficiary calls.
sub give_again
{
	my ($self) = @_;
	my %stuck = map { $_->{offer} => 1 }
	  grep { $_->{step} eq 'redeem' && defined $_->{error} } $self->seen;
	delete @stuck{ map { $_->{offer} } $self->tokens_seen };
	for my $offer_id (sort keys %stuck)
	{
		my $link = $self->{issuer}->sql_as('registry',
			"SELECT openid4vci.vci_reopen_offer($offer_id)");
		my ($code) = $link =~ /pre-authorized_code%22%3A%22([\w-]+)/ or die "no code: $link";
		$self->hand_out([ $offer_id, $code ]);
	}
	return scalar keys %stuck;
}

# All that any wallet saw until now.
sub seen
{
	my ($self) = @_;
	my $book = $self->{book};
	# behind the end of the file, where an earlier call came to
	seek $book, 0, 1;
	while (my $piece = <$book>)
	{
		# a line may still be on its way
		$self->{line} .= $piece;
		next if $piece !~ /\n$/;
		push @{ $self->{seen} }, $json->decode($self->{line});
		$self->{line} = '';
	}
	return @{ $self->{seen} };
}

sub tokens_seen
{
	my ($self) = @_;
	return grep { defined $_->{token} } $self->seen;
}

sub credentials_seen
{
	my ($self) = @_;
	return grep { $_->{credentials} } $self->seen;
}

# Answers that were no answer: a hangup, or a server's fault.
sub failures_seen
{
	my ($self) = @_;
	return grep { defined $_->{status} && ($_->{status} == 0 || $_->{status} >= 500) } $self->seen;
}

# What no wallet should ever see, one a line: refusals other than that of a code which was
# used up by a request without an answer, statuses other than 503, a wallet that died.
sub surprises
{
	my ($self) = @_;
	my %unanswered;
	my @surprises;
	for my $entry ($self->seen)
	{
		my $status = $entry->{status} // -1;
		my $redeems = $entry->{step} eq 'redeem';
		next if $status == 200 || $entry->{step} eq 'end';
		next if $redeems && $unanswered{ $entry->{offer} } && ($entry->{error} // '') eq 'invalid_grant';
		$unanswered{ $entry->{offer} }++ if $redeems;
		push @surprises, $json->encode($entry) if $status != 0 && $status != 503;
	}
	return join "\n", @surprises;
}

# How many of the offers that were handed out wallets still work on.
sub under_way
{
	my ($self) = @_;
	my @seen = $self->seen;
	die "a wallet died: $_->{why}\n" for grep { $_->{step} eq 'died' } @seen;
	return $self->{given} - grep { $_->{step} eq 'end' } @seen;
}

# Waits until the wallets saw so many more credentials than they have now.
sub await_credentials
{
	my ($self, $more) = @_;
	my $wanted = $more + $self->credentials_seen;
	select undef, undef, undef, 0.02 while $self->under_way && $self->credentials_seen < $wanted;
	die "the wallets get no credentials:\n" . $self->surprises if $self->credentials_seen < $wanted;
	return;
}

# Waits until the wallets are done with what they were given; what can be opened again for
# them is. Returns how many offers that were.
sub settle
{
	my ($self) = @_;
	my $reopened = 0;
	do
	{
		select undef, undef, undef, 0.05 while $self->under_way;
	} while ($reopened += $self->give_again, $self->under_way);
	return $reopened;
}

# Lets the wallets go.
sub finish
{
	my ($self) = @_;
	close $_ for @{ $self->{doors} };
	waitpid $_, 0 for @{ $self->{pids} };
	@{ $self->{pids} } = ();
	return;
}

# What wallets saw and the tables do not know, one a line.
sub lost
{
	my ($issuer, @seen) = @_;
	my $rows = Issuer::literal($json->encode([ grep { $_->{token} || $_->{credentials} } @seen ]));
	return $issuer->sql(<<"SQL");
CREATE TEMP TABLE seen AS
	SELECT * FROM jsonb_to_recordset($rows)
		AS s (offer bigint, step text, token bigint, credentials integer);
SELECT s.step || ' of offer ' || s.offer || ': token ' || s.token || ' is not there' FROM seen AS s
LEFT JOIN openid4vci.vci_token AS t ON t.id = s.token AND t.offer_id = s.offer
LEFT JOIN openid4vci.vci_event AS e ON e.token_id = t.id AND e.offer_id = t.offer_id
	AND e.kind = CASE s.step WHEN 'redeem' THEN 'offer_redeemed' ELSE 'token_refreshed' END
WHERE s.token IS NOT NULL GROUP BY s.step, s.offer, s.token HAVING count(e.id) <> 1
UNION ALL
SELECT 'the credential of offer ' || s.offer || ' is not there' FROM seen AS s
LEFT JOIN openid4vci.vci_credential AS c ON c.offer_id = s.offer
LEFT JOIN openid4vci.vci_event AS e ON e.credential_id = c.id AND e.kind = 'credential_issued'
WHERE s.credentials IS NOT NULL GROUP BY s.offer HAVING count(e.id) <> max(s.credentials)
SQL
}

# Rows that contradict each other, one a line: a step happens wholly or not at all, and once.
sub contradictions
{
	my ($issuer) = @_;
	return $issuer->sql(<<'SQL');
SELECT 'token ' || t.id || ' came of ' || count(e.id) || ' events' FROM openid4vci.vci_token AS t
LEFT JOIN openid4vci.vci_event AS e ON e.token_id = t.id
	AND e.kind IN ('offer_redeemed', 'token_refreshed')
GROUP BY t.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'event ' || e.id || ' tells of a token that is not there' FROM openid4vci.vci_event AS e
WHERE e.kind IN ('offer_redeemed', 'token_refreshed')
	AND NOT EXISTS (SELECT FROM openid4vci.vci_token AS t WHERE t.id = e.token_id)
UNION ALL
SELECT 'a code of offer ' || t.offer_id || ' was redeemed ' || count(*) || ' times'
FROM openid4vci.vci_token AS t
JOIN openid4vci.vci_event AS e ON e.token_id = t.id AND e.kind = 'offer_redeemed'
GROUP BY t.offer_id, t.offer_generation HAVING count(*) > 1
UNION ALL
SELECT 'offer ' || o.id || ' does not know that it was redeemed' FROM openid4vci.vci_offer AS o
WHERE (o.redeemed_at IS NOT NULL) <> EXISTS (SELECT FROM openid4vci.vci_token AS t
	WHERE t.offer_id = o.id AND t.offer_generation = o.generation)
UNION ALL
SELECT 'offer ' || c.offer_id || ' was issued ' || count(*) || ' times'
FROM openid4vci.vci_credential AS c
GROUP BY c.offer_id, c.configuration_id, c.dataset, c.instance HAVING count(*) > 1
UNION ALL
SELECT 'credential ' || c.id || ' came of ' || count(e.id) || ' events'
FROM openid4vci.vci_credential AS c
LEFT JOIN openid4vci.vci_event AS e ON e.credential_id = c.id AND e.kind = 'credential_issued'
GROUP BY c.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'offer ' || o.id || ' does not know that it was issued' FROM openid4vci.vci_offer AS o
WHERE (o.issued_at IS NOT NULL)
	<> EXISTS (SELECT FROM openid4vci.vci_credential AS c WHERE c.offer_id = o.id)
UNION ALL
SELECT 'event ' || e.id || ' tells of a credential that is not there' FROM openid4vci.vci_event AS e
WHERE e.kind = 'credential_issued'
	AND NOT EXISTS (SELECT FROM openid4vci.vci_credential AS c WHERE c.id = e.credential_id)
SQL
}

# Seals the events so far, and returns what an auditor takes away.
sub sealed_head
{
	my ($issuer) = @_;
	$issuer->sql('SELECT openid4vci.vci_seal_events()');
	return $issuer->sql('SELECT openid4vci.vci_event_head()');
}

# What is wrong with the seals: nothing, when the head that an auditor took away is there too.
sub broken_seal
{
	my ($issuer, $head) = @_;
	return $issuer->sql('SELECT broken_segment, problem FROM openid4vci.vci_verify_events('
			. Issuer::literal($head) . ') WHERE broken_segment IS NOT NULL OR problem IS NOT NULL');
}

# Every code that was ever handed out comes again: how often each status and error came.
sub replay_all
{
	my ($self) = @_;
	my %tally;
	for my $code (values %{ $self->{offers} })
	{
		my $answer = http_answer(http_ask(http_connect($self->{port}), Issuer::token_request($code)));
		$tally{ join ' ', $answer->{status}, $answer->{json}{error} // () }++;
	}
	return \%tally;
}

1;
