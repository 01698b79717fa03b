import datetime
import django.contrib.auth.models
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
import oidc_pkce.identifiers
import oidc_pkce.models.application
import oidc_pkce.models.fields
import oidc_pkce.protocol.application
import oidc_pkce.validators
import re
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Application',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('template', models.CharField(choices=[('OAuth2ServerClient', 'OAuth2 Client'), ('OAuth2Server', 'OAuth2 Server'), ('Generic OpenID Connect', 'OpenID Connect')], max_length=32, verbose_name='type')),
                ('enabled', models.BooleanField(default=True, help_text='A disabled application serves nobody.', verbose_name='enabled')),
                ('profile', models.CharField(choices=[('cyberark', 'CyberArk compatible'), ('oauth21', 'OAuth 2.1'), ('fapi2', 'FAPI 2.0'), ('legacy', 'Legacy')], default='cyberark', help_text='The set of rules that this application keeps; what it demands is enforced.', max_length=16, verbose_name='Profile')),
                ('watched_until', models.DateTimeField(editable=False, null=True)),
                ('application_id', models.CharField(help_text='Stands in every address of this application.', max_length=64, validators=[django.core.validators.RegexValidator(re.compile('^(?!(?:\\.{1,2}|\\.well-known|oauth2)\\Z)[A-Za-z0-9._-]{1,64}\\Z', 2), 'An Application ID is 1 to 64 letters, digits, dots, underscores or hyphens; no spaces. Dots alone, .well-known and OAuth2 stand for something else in addresses.')], verbose_name='Application ID')),
                ('name', models.CharField(max_length=200, validators=[oidc_pkce.validators.validate_text], verbose_name='Application Name')),
                ('description', models.TextField(blank=True, max_length=2000, validators=[oidc_pkce.validators.validate_text, django.core.validators.MaxLengthValidator(2000)], verbose_name='Application Description')),
                ('category', models.CharField(default='Other', max_length=100, validators=[oidc_pkce.validators.validate_text], verbose_name='Category')),
                ('show_in_user_app_list', models.BooleanField(default=False, verbose_name='Show in user app list')),
                ('client_id_type', models.CharField(choices=[('Anything', 'Anything'), ('List', 'List'), ('Confidential', 'Confidential')], default=oidc_pkce.protocol.application.ClientIdType['CONFIDENTIAL'], help_text='List is the setting for PKCE: the clients are public and prove themselves with a code verifier. Anything lets whoever asks be a client. Confidential clients are service users with a secret.', max_length=16, verbose_name='Client ID Type')),
                ('client_ids', oidc_pkce.models.fields.StringListField(blank=True, default=list, validators=[oidc_pkce.validators.validate_client_ids], verbose_name='Client ID List')),
                ('must_be_oauth_client', models.BooleanField(default=False, help_text='Confidential clients must be flagged as OAuth confidential clients.', verbose_name='Must be OAuth Client')),
                ('issuer', models.CharField(blank=True, help_text="Leave empty for this server's own address, which is what discovery needs.", max_length=500, validators=[oidc_pkce.validators.validate_text], verbose_name='Issuer')),
                ('audience', models.CharField(blank=True, max_length=500, validators=[oidc_pkce.validators.validate_text], verbose_name='Audience')),
                ('redirect_uris', oidc_pkce.models.fields.StringListField(blank=True, default=list, validators=[oidc_pkce.validators.validate_redirect_uris], verbose_name='Allowed Redirects')),
                ('post_logout_redirect_uris', oidc_pkce.models.fields.StringListField(blank=True, default=list, validators=[oidc_pkce.validators.validate_redirect_uris], verbose_name='Authorized post-logout redirect URIs')),
                ('backchannel_logout_uri', models.CharField(blank=True, help_text='This server posts a logout token there when a person signs out.', max_length=2000, validators=[oidc_pkce.validators.validate_logout_uri], verbose_name='Back-channel logout URI')),
                ('frontchannel_logout_uri', models.CharField(blank=True, help_text='The sign-out page opens it in a frame. Back-channel logout is more reliable.', max_length=2000, validators=[oidc_pkce.validators.validate_logout_uri], verbose_name='Front-channel logout URI')),
                ('trusted_origins', oidc_pkce.models.fields.StringListField(blank=True, default=list, help_text="Origins whose scripts may call this application, beside its redirects'. One per line.", validators=[oidc_pkce.validators.validate_origins], verbose_name='Trusted Origins')),
                ('openid_client_id', models.CharField(default=oidc_pkce.identifiers.new_guid, max_length=255, validators=[oidc_pkce.validators.validate_text], verbose_name='OpenID Connect client ID')),
                ('require_client_secret', models.BooleanField(default=False, help_text='Refuse clients that prove themselves by PKCE alone.', verbose_name='Require client secret')),
                ('subject_type', models.CharField(choices=[('public', 'public'), ('pairwise', 'pairwise')], default=oidc_pkce.protocol.application.SubjectType['PUBLIC'], help_text='Pairwise: the subject of a person differs from application to application.', max_length=8, verbose_name='Subject type')),
                ('subject_salt', models.CharField(default=oidc_pkce.identifiers.new_secret, editable=False, max_length=64)),
                ('client_jwks', models.JSONField(blank=True, default=dict, help_text="A JSON Web Key Set: the public keys that sign this client's request objects.", validators=[oidc_pkce.validators.validate_client_jwks], verbose_name='Client keys')),
                ('login_initiation', models.CharField(choices=[('relying_party_or_portal', 'Login initiated by the relying party (or the user portal)'), ('app_only', 'Login initiated by the app only')], default='relying_party_or_portal', max_length=32, verbose_name='Login initiation')),
                ('url', models.URLField(blank=True, max_length=2000, verbose_name='Resource application URL')),
                ('token_type', models.CharField(choices=[('JwtRS256', 'JwtRS256'), ('JwtES256', 'JwtES256'), ('JwtEdDSA', 'JwtEdDSA'), ('JwtPS256', 'JwtPS256'), ('Opaque', 'Opaque')], default=oidc_pkce.protocol.application.TokenType['RS256'], max_length=16, verbose_name='Token Type')),
                ('access_token_typ', models.CharField(choices=[('JWT', 'JWT'), ('at+jwt', 'at+jwt')], max_length=8, verbose_name='Access token header typ')),
                ('flows', oidc_pkce.models.fields.StringListField(blank=True, default=oidc_pkce.models.application.default_flows, validators=[oidc_pkce.validators.validate_flows], verbose_name='Auth methods')),
                ('access_token_lifetime', models.DurationField(default=datetime.timedelta(seconds=18000), validators=[oidc_pkce.validators.validate_lifetime], verbose_name='Token Lifetime')),
                ('issues_refresh_tokens', models.BooleanField(default=False, verbose_name='Issue refresh tokens')),
                ('refresh_token_lifetime', models.DurationField(default=datetime.timedelta(days=30), validators=[oidc_pkce.validators.validate_lifetime], verbose_name='Refresh token lifetime')),
                ('rotates_refresh_tokens', models.BooleanField(default=True, verbose_name='Rotate tokens after use')),
                ('claims_in_id_token', models.BooleanField(default=False, help_text='For clients that never ask UserInfo: the ID token repeats what scopes tell.', verbose_name='Claims in the ID token')),
                ('requires_pkce', models.BooleanField(default=True, verbose_name='Require PKCE')),
                ('allows_plain_pkce', models.BooleanField(default=False, help_text='With plain, whoever sees the request can redeem the code.', verbose_name='Allow plain PKCE')),
                ('requires_consent', models.BooleanField(default=False, verbose_name='User must confirm authorization request')),
                ('allows_scope_selection', models.BooleanField(default=False, verbose_name='Allow scope selection')),
                ('user_name_strategy', models.CharField(choices=[('ADAttribute', 'Directory Service Field'), ('Fixed', 'All users share one name')], default=oidc_pkce.protocol.application.UserNameStrategy['DIRECTORY_FIELD'], help_text='What unique_name and preferred_username hold.', max_length=16, verbose_name='Account mapping')),
                ('user_name_claim', models.CharField(default='preferred_username', help_text='The claim whose value is told; preferred_username is the login name.', max_length=64, validators=[oidc_pkce.validators.validate_text], verbose_name='Directory field name')),
                ('shared_user_name', models.CharField(blank=True, help_text='The one name that this application sees for everybody.', max_length=255, validators=[oidc_pkce.validators.validate_text], verbose_name='User name')),
                ('sign_in_max_age', models.DurationField(blank=True, help_text='Whoever signed in longer ago signs in again. Empty: no limit.', null=True, validators=[oidc_pkce.validators.validate_lifetime], verbose_name='Fresh sign-in after')),
                ('allowed_networks', oidc_pkce.models.fields.StringListField(blank=True, default=list, help_text='People sign in from these networks alone, e.g. 10.0.0.0/8. Empty: anywhere.', validators=[oidc_pkce.validators.validate_networks], verbose_name='Allowed networks')),
                ('required_acr', models.CharField(blank=True, help_text='How strongly people must have signed in, whatever the client asks for.', max_length=255, validators=[oidc_pkce.validators.validate_text], verbose_name='Required acr')),
                ('version', models.PositiveIntegerField(default=1, editable=False)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name': 'Web App',
                'verbose_name_plural': 'Web Apps',
                'ordering': ('name', 'pk'),
            },
        ),
        migrations.CreateModel(
            name='AuditEvent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(db_index=True)),
                ('action', models.CharField(max_length=64)),
                ('actor_name', models.CharField(blank=True, max_length=255)),
                ('application_name', models.CharField(blank=True, max_length=255)),
                ('client_id', models.CharField(blank=True, max_length=255)),
                ('details', models.JSONField(default=dict)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'audit event',
                'verbose_name_plural': 'audit log',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='AuthorizationCode',
            fields=[
                ('digest', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('redirect_uri', models.TextField()),
                ('challenge', models.CharField(blank=True, max_length=128)),
                ('challenge_method', models.CharField(blank=True, max_length=8)),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'authorization code',
                'verbose_name_plural': 'authorization codes',
            },
        ),
        migrations.CreateModel(
            name='ClientSecret',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.BinaryField(max_length=32)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField(blank=True, db_index=True, null=True)),
                ('last_used_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'client secret',
                'verbose_name_plural': 'client secrets',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='Consent',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_id', models.CharField(max_length=255)),
                ('scope', models.TextField(blank=True)),
                ('scope_digest', models.BinaryField(max_length=32)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'consent',
                'verbose_name_plural': 'consents',
            },
        ),
        migrations.CreateModel(
            name='EndedSession',
            fields=[
                ('sid', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'ended session',
                'verbose_name_plural': 'ended sessions',
            },
        ),
        migrations.CreateModel(
            name='Grant',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('client_id', models.CharField(max_length=255)),
                ('client_authentication', models.CharField(blank=True, choices=[('', 'not yet'), ('none', 'without a secret'), ('secret', 'with a secret')], default='', max_length=8)),
                ('scope', models.TextField(blank=True)),
                ('resources', oidc_pkce.models.fields.StringListField(blank=True, default=list)),
                ('subject', models.CharField(max_length=255)),
                ('sid', models.CharField(blank=True, max_length=64)),
                ('amr', oidc_pkce.models.fields.StringListField(blank=True, default=list)),
                ('acr', models.CharField(blank=True, max_length=255)),
                ('requested_claims', models.JSONField(blank=True, default=dict)),
                ('nonce', models.TextField(blank=True)),
                ('auth_time', models.DateTimeField()),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'grant',
                'verbose_name_plural': 'grants',
            },
        ),
        migrations.CreateModel(
            name='LogoutDelivery',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('client_id', models.CharField(max_length=255, verbose_name='client')),
                ('subject', models.CharField(max_length=255)),
                ('sid', models.CharField(max_length=64)),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('last_error', models.CharField(blank=True, max_length=300, verbose_name='last error')),
                ('created_at', models.DateTimeField(verbose_name='signed out')),
                ('next_attempt_at', models.DateTimeField(db_index=True, verbose_name='next attempt')),
                ('expires_at', models.DateTimeField(db_index=True, verbose_name='given up')),
            ],
            options={
                'verbose_name': 'sign-out delivery',
                'verbose_name_plural': 'sign-out deliveries',
            },
        ),
        migrations.CreateModel(
            name='Permission',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('principal', models.CharField(choices=[('user', 'User'), ('group', 'Group'), ('everybody', 'Everybody')], max_length=16, verbose_name='Type')),
                ('can_grant', models.BooleanField(default=False, verbose_name='Grant')),
                ('can_view', models.BooleanField(default=True, verbose_name='View')),
                ('can_manage', models.BooleanField(default=False, verbose_name='Manage')),
                ('can_delete', models.BooleanField(default=False, verbose_name='Delete')),
                ('can_run', models.BooleanField(default=True, verbose_name='Run')),
                ('is_deployed', models.BooleanField(default=True, verbose_name='Automatically Deploy')),
            ],
            options={
                'verbose_name': 'permission',
                'verbose_name_plural': 'permissions',
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='RefreshToken',
            fields=[
                ('digest', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('seed', models.BinaryField(default=oidc_pkce.identifiers.new_seed, max_length=16)),
                ('created_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('used_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'refresh token',
                'verbose_name_plural': 'refresh tokens',
            },
        ),
        migrations.CreateModel(
            name='RequestTrace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('request_id', models.CharField(max_length=16, verbose_name='request ID')),
                ('endpoint', models.CharField(max_length=32, verbose_name='endpoint')),
                ('client_id', models.CharField(blank=True, max_length=255, verbose_name='client')),
                ('succeeded', models.BooleanField(verbose_name='succeeded')),
                ('failed_check', models.CharField(blank=True, max_length=64, verbose_name='failed check')),
                ('error', models.CharField(blank=True, max_length=64, verbose_name='error')),
                ('outcomes', models.JSONField(default=list, verbose_name='checks')),
                ('at', models.DateTimeField(verbose_name='time')),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'request',
                'verbose_name_plural': 'requests',
                'ordering': ('-pk',),
            },
        ),
        migrations.CreateModel(
            name='RevokedToken',
            fields=[
                ('jti', models.UUIDField(primary_key=True, serialize=False)),
                ('expires_at', models.DateTimeField(db_index=True)),
            ],
            options={
                'verbose_name': 'revoked access token',
                'verbose_name_plural': 'revoked access tokens',
            },
        ),
        migrations.CreateModel(
            name='Scope',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=255, validators=[oidc_pkce.validators.validate_scope_name], verbose_name='Name')),
                ('description', models.CharField(blank=True, max_length=500, validators=[oidc_pkce.validators.validate_text], verbose_name='Description')),
                ('rest_patterns', oidc_pkce.models.fields.StringListField(blank=True, default=list, help_text='One regular expression per line, matched against the path below the host.', validators=[oidc_pkce.validators.validate_rest_patterns], verbose_name='Allowed REST APIs')),
            ],
            options={
                'verbose_name': 'scope',
                'verbose_name_plural': 'scopes',
                'ordering': ('pk',),
            },
        ),
        migrations.CreateModel(
            name='ServiceUser',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('is_oauth_confidential_client', models.BooleanField(default=True, verbose_name='Is OAuth confidential client')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'service user',
                'verbose_name_plural': 'service users',
            },
        ),
        migrations.CreateModel(
            name='SigningKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('algorithm', models.CharField(max_length=8, verbose_name='algorithm')),
                ('generation', models.PositiveIntegerField(verbose_name='generation')),
                ('kid', models.CharField(max_length=64, verbose_name='key ID')),
                ('public_jwk', models.JSONField(verbose_name='public key')),
                ('private_key', models.TextField(editable=False)),
                ('created_at', models.DateTimeField(verbose_name='created')),
                ('signs_from', models.DateTimeField(verbose_name='signs from')),
                ('expires_at', models.DateTimeField(blank=True, db_index=True, null=True, verbose_name='published until')),
            ],
            options={
                'verbose_name': 'signing key',
                'verbose_name_plural': 'signing keys',
                'ordering': ('algorithm', '-generation'),
            },
        ),
        migrations.CreateModel(
            name='Subject',
            fields=[
                ('user', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='oidc_pkce_subject', serialize=False, to=settings.AUTH_USER_MODEL)),
                ('identifier', models.UUIDField(default=uuid.uuid4, unique=True)),
            ],
            options={
                'verbose_name': 'subject identifier',
                'verbose_name_plural': 'subject identifiers',
            },
        ),
        migrations.CreateModel(
            name='Usage',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('client_id', models.CharField(max_length=255, verbose_name='client')),
                ('feature', models.CharField(choices=[('response_type', 'response_type'), ('response_mode', 'response_mode'), ('code_challenge', 'code_challenge'), ('request_object', 'request_object'), ('grant_type', 'grant_type'), ('client_authentication', 'client_authentication'), ('algorithm', 'algorithm'), ('resource', 'resource'), ('redirect_uri', 'redirect_uri')], max_length=32, verbose_name='feature')),
                ('value', models.CharField(max_length=64, verbose_name='value')),
                ('count', models.PositiveBigIntegerField(default=0, verbose_name='requests')),
                ('first_seen_at', models.DateTimeField(verbose_name='first seen')),
                ('last_seen_at', models.DateTimeField(verbose_name='last seen')),
            ],
            options={
                'verbose_name': 'use',
                'verbose_name_plural': 'uses',
                'ordering': ('pk',),
                'default_permissions': (),
            },
        ),
        migrations.CreateModel(
            name='Role',
            fields=[
            ],
            options={
                'verbose_name': 'role',
                'verbose_name_plural': 'roles',
                'proxy': True,
                'default_permissions': (),
                'indexes': [],
                'constraints': [],
            },
            bases=('auth.group',),
            managers=[
                ('objects', django.contrib.auth.models.GroupManager()),
            ],
        ),
        migrations.CreateModel(
            name='AccessToken',
            fields=[
                ('digest', models.BinaryField(max_length=32, primary_key=True, serialize=False)),
                ('client_id', models.CharField(max_length=255)),
                ('subject', models.CharField(max_length=255)),
                ('scope', models.TextField(blank=True)),
                ('audience', oidc_pkce.models.fields.StringListField(blank=True, default=list)),
                ('issued_at', models.DateTimeField()),
                ('expires_at', models.DateTimeField(db_index=True)),
                ('user', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'verbose_name': 'opaque access token',
                'verbose_name_plural': 'opaque access tokens',
            },
        ),
        migrations.CreateModel(
            name='ApplicationLogo',
            fields=[
                ('application', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='logo', serialize=False, to='oidc_pkce.application')),
                ('content_type', models.CharField(max_length=32)),
                ('content', models.BinaryField()),
                ('etag', models.CharField(max_length=64)),
            ],
        ),
        migrations.AddConstraint(
            model_name='application',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('application_id'), name='oidc_pkce_application_id', violation_error_message='Another application has this Application ID.'),
        ),
        migrations.AddConstraint(
            model_name='application',
            constraint=models.UniqueConstraint(fields=('openid_client_id',), name='oidc_pkce_openid_client_id', violation_error_message='Another application has this client ID.'),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='actor',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='auditevent',
            name='application',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='audit_events', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='clientsecret',
            name='application',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='client_secrets', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='consent',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='consents', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='consent',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='oidc_pkce_consents', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='grant',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='grants', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='grant',
            name='user',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='authorizationcode',
            name='grant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='codes', to='oidc_pkce.grant'),
        ),
        migrations.AddField(
            model_name='accesstoken',
            name='grant',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='access_tokens', to='oidc_pkce.grant'),
        ),
        migrations.AddField(
            model_name='logoutdelivery',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='permission',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='permissions', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='permission',
            name='group',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='auth.group'),
        ),
        migrations.AddField(
            model_name='permission',
            name='user',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='refreshtoken',
            name='grant',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='refresh_tokens', to='oidc_pkce.grant'),
        ),
        migrations.AddField(
            model_name='requesttrace',
            name='application',
            field=models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='request_traces', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='requesttrace',
            name='user',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='scope',
            name='application',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='scopes', to='oidc_pkce.application'),
        ),
        migrations.AddField(
            model_name='clientsecret',
            name='service_user',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='client_secrets', to='oidc_pkce.serviceuser'),
        ),
        migrations.AddConstraint(
            model_name='signingkey',
            constraint=models.UniqueConstraint(fields=('algorithm', 'generation'), name='oidc_pkce_key_generation'),
        ),
        migrations.AddConstraint(
            model_name='signingkey',
            constraint=models.UniqueConstraint(fields=('kid',), name='oidc_pkce_key_kid'),
        ),
        migrations.AddField(
            model_name='usage',
            name='application',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='usage', to='oidc_pkce.application'),
        ),
        migrations.AddIndex(
            model_name='auditevent',
            index=models.Index(fields=['action', 'id'], name='oidc_pkce_audit_action'),
        ),
        migrations.AddConstraint(
            model_name='consent',
            constraint=models.UniqueConstraint(fields=('user', 'application', 'client_id', 'scope_digest'), name='oidc_pkce_consent_scope'),
        ),
        migrations.AddIndex(
            model_name='grant',
            index=models.Index(fields=['-created_at'], name='oidc_pkce_grant_newest'),
        ),
        migrations.AddConstraint(
            model_name='logoutdelivery',
            constraint=models.UniqueConstraint(fields=('application', 'client_id', 'subject', 'sid'), name='oidc_pkce_logout_delivery'),
        ),
        migrations.AddConstraint(
            model_name='permission',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('group__isnull', True), ('principal', 'user'), ('user__isnull', False)), models.Q(('group__isnull', False), ('principal', 'group'), ('user__isnull', True)), models.Q(('group__isnull', True), ('principal', 'everybody'), ('user__isnull', True)), _connector='OR'), name='oidc_pkce_permission_principal'),
        ),
        migrations.AddConstraint(
            model_name='permission',
            constraint=models.UniqueConstraint(condition=models.Q(('principal', 'user')), fields=('application', 'user'), name='oidc_pkce_permission_user'),
        ),
        migrations.AddConstraint(
            model_name='permission',
            constraint=models.UniqueConstraint(condition=models.Q(('principal', 'group')), fields=('application', 'group'), name='oidc_pkce_permission_group'),
        ),
        migrations.AddConstraint(
            model_name='permission',
            constraint=models.UniqueConstraint(condition=models.Q(('principal', 'everybody')), fields=('application',), name='oidc_pkce_permission_everybody'),
        ),
        migrations.AddIndex(
            model_name='requesttrace',
            index=models.Index(fields=['application', 'id'], name='oidc_pkce_trace_newest'),
        ),
        migrations.AddConstraint(
            model_name='requesttrace',
            constraint=models.UniqueConstraint(fields=('request_id',), name='oidc_pkce_trace_request_id'),
        ),
        migrations.AddConstraint(
            model_name='scope',
            constraint=models.UniqueConstraint(fields=('application', 'name'), name='oidc_pkce_scope_name'),
        ),
        migrations.AddConstraint(
            model_name='clientsecret',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('application', None), ('service_user__isnull', False)), models.Q(('application__isnull', False), ('service_user', None)), _connector='OR'), name='oidc_pkce_client_secret_owner'),
        ),
        migrations.AddConstraint(
            model_name='usage',
            constraint=models.UniqueConstraint(fields=('application', 'client_id', 'feature', 'value'), name='oidc_pkce_usage_once'),
        ),
    ]
