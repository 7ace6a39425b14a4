// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ICredentialRegistry} from "../../src/interfaces/ICredentialRegistry.sol";
import {vm} from "../Vm.sol";
import {HistoryReplay} from "../support/HistoryReplay.sol";
import {Slots} from "../support/Slots.sol";
import {RegistryHandler} from "./handlers/RegistryHandler.sol";

/// @title What holds after any sequence of calls by anybody
contract RegistryInvariants {
    uint16 private constant _EPOCHS = 2;
    uint256 private constant _WORDS = 4;

    ICredentialRegistry private _registry;
    HistoryReplay private _history;
    RegistryHandler private _handler;

    function setUp() public {
        vm.warp(1_800_000_000);
        vm.recordLogs();
        _registry = ICredentialRegistry(
            vm.deployCode(
                "CredentialRegistry.sol:CredentialRegistry", abi.encode(address(0xad), address(0xacc), 1 days)
            )
        );
        _history = HistoryReplay(vm.deployCode("HistoryReplay.sol:HistoryReplay", abi.encode(_registry)));
        _handler =
            RegistryHandler(vm.deployCode("RegistryHandler.sol:RegistryHandler", abi.encode(_registry, _history)));
    }

    /// @notice Where forge finds the one contract to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(_handler);
    }

    /// A ghost is written at the first anchoring only.
    function invariant_aRootNeverChanges() public view {
        for (uint32 issuer = 1; issuer <= _registry.issuerCount(); ++issuer) {
            for (uint256 i = 0; i < _handler.ROOTS(); ++i) {
                bytes32 root = _handler.rootAt(i);
                ICredentialRegistry.Batch memory record = _registry.batchOf(issuer, root);
                bytes32 expected = _handler.batchHash(issuer, root);
                bytes32 actual = record.anchoredAt == 0 ? bytes32(0) : keccak256(abi.encode(record));
                vm.assertEq(actual, expected, "a batch is not what was first anchored");
            }
        }
    }

    /// Ghosts of revocations only gain bits.
    function invariant_aRevokedBitNeverClears() public view {
        for (uint32 issuer = 1; issuer <= _registry.issuerCount(); ++issuer) {
            for (uint16 epoch = 0; epoch < _EPOCHS; ++epoch) {
                for (uint32 list = 0; list < _handler.LISTS(); ++list) {
                    for (uint256 i = 0; i < _WORDS; ++i) {
                        uint256 slot = Slots.word(Slots.REVOKED, issuer, epoch, list, _handler.wordAt(i));
                        uint256 current = Slots.read(address(_registry), slot);
                        vm.assertEq(_handler.bits(slot) & ~current, 0, "a revocation was undone");
                    }
                }
            }
        }
    }

    /// The ghosts of an issuer's bits move only when a STATUS key of that issuer, valid then, called.
    function invariant_onlyTheIssuerMovesItsBits() public view {
        for (uint32 issuer = 1; issuer <= _registry.issuerCount(); ++issuer) {
            for (uint16 epoch = 0; epoch < _EPOCHS; ++epoch) {
                for (uint32 list = 0; list < _handler.LISTS(); ++list) {
                    for (uint256 i = 0; i < _WORDS; ++i) {
                        _checkWord(Slots.word(Slots.REVOKED, issuer, epoch, list, _handler.wordAt(i)));
                        _checkWord(Slots.word(Slots.SUSPENDED, issuer, epoch, list, _handler.wordAt(i)));
                    }
                }
            }
        }
    }

    function invariant_eventsReplayToStateAndHeads() public view {
        _history.check();
    }

    function invariant_countsEqualGhosts() public view {
        vm.assertEq(_registry.issuerCount(), _handler.issuerCount());
        vm.assertEq(_history.keyCount(), _handler.keyCount());
        vm.assertEq(_history.batchCount(), _handler.batchCount());
        vm.assertEq(_history.statusCallCount(), _handler.statusCallCount());
    }

    function _checkWord(uint256 slot) private view {
        vm.assertEq(Slots.read(address(_registry), slot), _handler.bits(slot), "bits moved by somebody else");
    }
}
