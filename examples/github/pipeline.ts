/** Who does what on GitHub: webhook deliveries, keyed by the account that caused them. */
import { decodeJson, dedupe, events, pipeline } from 'millrace'

/** The part of a delivery that all kinds have; GitHub documents the rest. */
interface Delivery {
  action?: string
  repository?: { full_name: string }
  sender: { login: string }
}

/** What this pipeline looks at. Deliveries of other kinds pass and leave no trace. */
const types = [
  'commit_comment',
  'create',
  'delete',
  'discussion',
  'discussion_comment',
  'fork',
  'issue_comment',
  'issues',
  'pull_request',
  'pull_request_review',
  'push',
  'release',
  'star',
  'watch',
] as const

interface GithubEvents extends Record<(typeof types)[number], Delivery> {
  pull_request: Delivery & { pull_request: { draft: boolean } }
  push: Delivery & { ref: string; commits: { id: string }[] }
}

const { profile, count, distinct, last, recent, sum, top } = events<GithubEvents>()

const account = profile('account', {
  ttl: '365d',
  traits: {
    events: count(types),
    eventsByType: top(20, types, (_, event) => event.type),
    repositories: distinct(types, e => e.repository?.full_name),
    recentRepositories: recent(3, types, e => e.repository?.full_name),
    lastActivity: last(types, (_, event) => ({ type: event.type, at: event.occurredAt })),
    issuesOpened: count('issues').where(e => e.action === 'opened'),
    pullRequestsOpened: count('pull_request').where(e => e.action === 'opened' && !e.pull_request.draft),
    commits: sum('push', e => e.commits.length),
  },
})

account.segment('regular', p => p.events >= 10)

account.trigger('starred', {
  on: 'star',
  every: true,
  when: (_, e) => e.action === 'created',
  emit: (_, e) => ({ repository: e.repository?.full_name ?? '' }),
})

account.trigger('first_issue', { when: p => p.issuesOpened >= 1, emit: p => ({ repositories: p.repositories }) })

export default pipeline({
  name: 'github',
  stages: [
    decodeJson({ key: 'sender.login' }),
    // A webhook is delivered again when its receiver was slow. The payloads have no id of their own.
    dedupe({ by: 'payload', window: '1h' }),
  ],
  profile: account,
})
