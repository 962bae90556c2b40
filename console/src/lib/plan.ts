// Where the operators of a plan stand, and what each took of the time.
import type { PlanStep } from '../api/types'

const across = 240
const down = 104

// Inputs left of what takes their rows; a parent in the middle of its inputs.
export function layout(steps: PlanStep[]): { x: number; y: number }[] {
  const at = new Map(steps.map((step, i) => [step.id, i]))
  const inputs: number[][] = steps.map(() => [])
  const depth: number[] = []
  steps.forEach((step, i) => {
    const parent = step.parent === undefined || step.parent === null ? undefined : at.get(step.parent)
    if (parent !== undefined) inputs[parent]!.push(i)
    depth[i] = parent === undefined ? 0 : depth[parent]! + 1
  })
  const y: number[] = []
  let next = 0
  // Steps come after their parents: from the last one back, inputs are placed before who takes their rows.
  const order: number[] = []
  const stack = steps.length ? [0] : []
  while (stack.length) {
    const i = stack.pop()!
    order.push(i)
    for (const input of inputs[i]!.slice().reverse()) stack.push(input)
  }
  for (const i of order) if (inputs[i]!.length === 0) y[i] = next++ * down
  for (const i of order.reverse()) {
    const below = inputs[i]!
    if (below.length) y[i] = (y[below[0]!]! + y[below[below.length - 1]!]!) / 2
  }
  return steps.map((_, i) => ({ x: -depth[i]! * across, y: y[i] ?? 0 }))
}

// Of the time of all operators together; none when the statement was not run.
export function shares(steps: PlanStep[]): (number | null)[] {
  const total = steps.reduce((sum, step) => sum + (step.seconds ?? 0), 0)
  return steps.map((step) => (total > 0 && step.seconds !== undefined && step.seconds !== null ? step.seconds / total : null))
}

export function seconds(value: number): string {
  if (value < 1e-3) return `${(value * 1e6).toFixed(0)} µs`
  if (value < 1) return `${(value * 1e3).toFixed(value < 0.1 ? 1 : 0)} ms`
  return `${value.toFixed(2)} s`
}
