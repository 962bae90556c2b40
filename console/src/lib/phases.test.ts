import { expect, test } from 'vitest'
import { isOver, phases } from './phases'

const millis = (times: Parameters<typeof phases>[0], now = 0) => phases(times, now).map((phase) => phase.millis)

test('a statement that ended', () => {
  expect(millis({ created_millis: 100, started_millis: 110, executing_millis: 130, ended_millis: 200 })).toEqual([10, 20, 70])
})

test('one that waits, one that is planned, one that runs', () => {
  expect(millis({ created_millis: 100 }, 150)).toEqual([50, 0, 0])
  expect(millis({ created_millis: 100, started_millis: 110 }, 150)).toEqual([10, 40, 0])
  expect(millis({ created_millis: 100, started_millis: 110, executing_millis: 120 }, 150)).toEqual([10, 10, 30])
})

test('one that failed while it waited spent nothing later', () => {
  expect(millis({ created_millis: 100, ended_millis: 120 })).toEqual([20, 0, 0])
})

test('clocks that disagree give no negative times', () => {
  expect(millis({ created_millis: 100, started_millis: 90 }, 80)).toEqual([0, 10, 0])
})

test('over', () => {
  expect(['QUEUED', 'PLANNING', 'RUNNING', 'FINISHING', 'FINISHED', 'FAILED'].filter((state) => isOver({ state }))).toEqual(['FINISHED', 'FAILED'])
})
