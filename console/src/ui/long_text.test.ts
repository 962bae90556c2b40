import { describe, expect, it } from 'vitest'
import { linesOf, parts } from './long_text'

describe('a long text in parts', () => {
  it('is all there, cut at the ends of lines', () => {
    const text = Array.from({ length: 1000 }, (_, i) => `line ${i}`).join('\n')
    const list = parts(text)
    expect(list.join('')).toBe(text)
    expect(list.length).toBeGreaterThan(10)
    expect(list.slice(0, -1).every((part) => part.endsWith('\n'))).toBe(true)
  })
  it('has a line that is too long in pieces, but no character', () => {
    const text = 'x' + '😀'.repeat(20_000)
    const list = parts(text)
    expect(list.join('')).toBe(text)
    expect(list.length).toBeGreaterThan(2)
    expect(list.every((part) => !/^[\uDC00-\uDFFF]/.test(part))).toBe(true)
  })
  it('is as high as its lines, long ones broken', () => {
    expect(linesOf('a\nb\n')).toBe(2)
    expect(linesOf('x'.repeat(900))).toBe(10)
    expect(linesOf('\n\n')).toBe(2)
  })
  it('of nothing is nothing', () => expect(parts('')).toEqual([]))
})
