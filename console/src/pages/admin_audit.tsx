// Who changed what, newest first.
import { useInfiniteQuery } from '@tanstack/react-query'
import { call } from '../api/client'
import { time } from '../lib/format'
import { Badge, Button, Empty, Loaded } from '../ui/parts'

// createTopic -> create topic
const words = (operation: string) => operation.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)

const plainPath = (target: string) => {
  try {
    return decodeURIComponent(target)
  } catch {
    return target
  }
}

export function Audit({ text }: { text: string }) {
  const query = useInfiniteQuery({
    queryKey: ['audit', text],
    initialPageParam: undefined as number | undefined,
    queryFn: ({ pageParam }) => call('getAudit', { query: { search: text, before: pageParam } }),
    getNextPageParam: (page) => page.next_before ?? undefined,
    placeholderData: (before) => before,
  })
  const lines = query.data?.pages.flatMap((page) => page.lines) ?? []
  return (
    <Loaded query={query}>
      {() =>
        lines.length === 0 ? <Empty icon="history" title="No such lines">{text ? 'No change holds these words.' : 'Nothing was changed through the console yet.'}</Empty> : (
          <>
            <section className="card scroll" tabIndex={0} aria-label="Audit">
              <table className="table">
                <thead><tr><th>Who, when</th><th>What</th><th className="right">Outcome</th></tr></thead>
                <tbody>
                  {lines.map((line) => (
                    <tr key={line.number}>
                      <td style={{ whiteSpace: 'nowrap', verticalAlign: 'top' }}>
                        {line.user}
                        <div className="muted num">{time(line.at_millis)}</div>
                      </td>
                      <td style={{ maxWidth: 'none', width: '100%', verticalAlign: 'top' }}>
                        {words(line.operation)} <span className="mono" style={{ overflowWrap: 'anywhere' }}>{plainPath(line.target)}</span>
                        {line.detail && <div className="mono muted" style={{ overflowWrap: 'anywhere' }}>{line.detail}</div>}
                      </td>
                      <td className="right"><Badge tone={line.outcome ? 'bad' : 'good'}>{line.outcome || 'done'}</Badge></td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </section>
            {query.hasNextPage && <div><Button disabled={query.isFetching} onClick={() => void query.fetchNextPage()}>Older</Button></div>}
          </>
        )
      }
    </Loaded>
  )
}
